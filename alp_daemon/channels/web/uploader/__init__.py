"""The FileUploader: a customer's people send files, and see what became of them."""

from __future__ import annotations

from starlette.routing import Route

from alp_daemon.channels.web.uploader import page, results

ROUTES: list[Route] = [
    Route("/", page.show, methods=["GET"]),
    Route("/", page.submit, methods=["POST"]),
    Route("/uploads/{id:int}", results.show, methods=["GET"]),
    Route("/uploads/{id:int}/rejects.csv", results.rejects, methods=["GET"]),
]
