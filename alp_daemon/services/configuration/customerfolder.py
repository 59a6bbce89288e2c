"""The customers' files as folders: a node's copy of the newest version, and what operators pull, edit and push."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from alp_daemon.customers import SUFFIX, Loaded, is_customer_file, load_dir
from alp_daemon.domain.keyword import Words
from alp_daemon.errors import NotFound, Refused
from alp_daemon.files.disk import disk_errors
from alp_daemon.files.versions import in_force, switch
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.services.configuration import customerfiles
from alp_daemon.services.configuration.customerfiles import Stand, Texts, Version
from alp_daemon.settings import CURRENT_COPY, Settings
from alp_daemon.store.store import Store

STAND = ".pulled"
"""The file of a pulled folder that says from which version it comes. No customer's: they end in .yaml."""

_NOTHING_PUSHED = "0"


def bring(store: Store, settings: Settings) -> None:
    """Makes ``settings.customers_path`` the database's newest version. Asks one row where it is so already.

    A node that cannot reach the database goes on with the version it has: ``TryAgain`` or ``Unavailable`` is raised,
    and the copy stays as it is.
    """
    if in_force(settings.customers_copy, CURRENT_COPY) != _name(customerfiles.newest(store)):
        switch(settings.customers_copy, CURRENT_COPY, partial(_newest, store))


def _newest(store: Store) -> tuple[str, dict[str, bytes]]:
    newest = customerfiles.newest(store)
    return _name(newest), _files(customerfiles.texts_of(store, newest.version) if newest else {})


def _name(version: Version | None) -> str:
    """By number and fingerprint, in case the database was restored from a backup."""
    return f"{version.version}-{version.fingerprint[:16]}" if version else _NOTHING_PUSHED


def checked(folder: Path, words: Words) -> Loaded:
    """The files of a folder, all of them sound. Raises ``ConfigurationFileError`` with every error of every file.

    Raises ``NotFound`` where there is none: nobody means a push that leaves no customer at all.
    """
    loaded = load_dir(folder, words)
    if loaded.errors:
        raise ConfigurationFileError(loaded.errors)
    if not loaded.texts:
        raise NotFound(f"{folder}: there is no customer's file (ID.yaml) in this folder; say --folder DIR")
    return loaded


def checked_version(store: Store, version: int, words: Words) -> Loaded:
    """As ``checked`` for the files of an older version: what was sound once may be refused by a newer release."""
    texts = customerfiles.texts_of(store, version)
    with tempfile.TemporaryDirectory(prefix=f"customers-{version}-") as folder:
        write(Path(folder), texts)
        return checked(Path(folder), words)


def stand_of(folder: Path) -> Stand | None:
    """From which version the folder comes; None where it was never pulled or pushed."""
    try:
        version, fingerprint = (folder / STAND).read_text(encoding="utf-8").split()
        return Stand(int(version), fingerprint)
    except (OSError, ValueError):
        return None


def note_stand(folder: Path, stand: Stand) -> None:
    """The folder is this version now."""
    (folder / STAND).write_text(f"{stand.version} {stand.fingerprint}\n", encoding="utf-8")


def write(folder: Path, texts: Texts) -> None:
    """Each customer's file, into a folder that is there."""
    for name, content in _files(texts).items():
        (folder / name).write_bytes(content)


def pull(store: Store, folder: Path) -> Stand:
    """Writes the newest version into a folder, which may have been pulled before.

    Raises ``Refused`` where that would end changes that nobody has pushed, ``NotFound`` where there is no version.
    """
    newest = customerfiles.newest(store)
    if newest is None:
        raise NotFound("nobody has pushed customers yet: `alp-daemon customers push --by NAME`")
    texts = customerfiles.texts_of(store, newest.version)
    with disk_errors(f"cannot write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        there = _files_in(folder)
        if there != _files(texts):
            _refuse_to_lose(folder, there)
            for name in there:
                (folder / name).unlink()
            write(folder, texts)
        note_stand(folder, newest.stand)
    return newest.stand


def _refuse_to_lose(folder: Path, there: dict[str, bytes]) -> None:
    stand = stand_of(folder)
    texts = {name.removesuffix(SUFFIX): content.decode("utf-8-sig", "replace") for name, content in there.items()}
    if there and (stand is None or customerfiles.fingerprint_of(texts) != stand.fingerprint):
        raise Refused(
            f"{folder} holds customers' files that were changed since they were pulled, if ever they were; push them,"
            " or pull into another folder"
        )


def _files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if is_customer_file(path.name)}


def _files(texts: Texts) -> dict[str, bytes]:
    return {f"{id_}{SUFFIX}": text.encode() for id_, text in texts.items()}
