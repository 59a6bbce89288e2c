"""The FileUploader: a customer's people send files, and see what became of them."""

from __future__ import annotations

from starlette.routing import Route

from alp_daemon.channels.web.paths import UPLOAD
from alp_daemon.channels.web.uploader import page, results

ROUTES: list[Route] = [
    Route("/", page.show, methods=["GET"]),
    Route("/", page.submit, methods=["POST"]),
    Route(f"/uploads/{UPLOAD}", results.show, methods=["GET"]),
    Route(f"/uploads/{UPLOAD}/rejects.csv", results.rejects, methods=["GET"]),
]
