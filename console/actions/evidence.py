"""Writing the evidence of a mailing down, and looking whether what was written down is still the same."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from console.errors import CommandError
from console.output import print_note, print_result, show_lines
from console.private_files import save_private
from console.session import open_session
from worker.audit.evidence_bundle import DOCUMENT, Bundle, InvalidBundleError, export_bundle, verify_bundle

# A ZIP file's entries need a time; the evidence names its own.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_ZIP: Final = ".zip"
# Far more than any mailing's evidence; what claims to unpack to more is none.
_MOST_BYTES: Final = 500_000_000


def write_evidence(mailing_id: int, output: Path) -> int:
    """Write a mailing's evidence into a directory, or into one file if the name ends in .zip."""
    with open_session() as session, session.engine.connect() as connection:
        # The bundle is of one moment, whatever a worker does meanwhile.
        steady = connection.execution_options(isolation_level="REPEATABLE READ")
        bundle = export_bundle(steady, mailing_id)
    if bundle is None:
        raise CommandError(f"there is no mailing {mailing_id}; see `mailrun mailing list`")
    already = _head_there(output, mailing_id)
    if already is not None and already != bundle.head:
        raise CommandError(f"{output} holds other evidence: give another name with --output")
    if already is None:
        _save(output, bundle)
    print_result(
        f"{'Saved' if already is None else 'Unchanged since it was saved:'} {output}", f"Head: {bundle.head}"
    )
    print_note("Keep the head elsewhere: with it, any later change to the files shows.")
    return 0


def _head_there(output: Path, mailing_id: int) -> str | None:
    """Return the head of what is saved there already, None if nothing is; raises Complaint if it is anything else."""
    saved = output if output.suffix == _ZIP else output / DOCUMENT
    if not saved.exists() and (output.is_dir() or not output.exists()):
        return None
    try:
        head, troubles = verify_bundle(_read(saved))
    except (InvalidBundleError, OSError):
        head, troubles = "", ["no evidence"]
    if troubles:
        raise CommandError(
            f"{output} exists and is not the evidence of mailing {mailing_id}: give another name"
        )
    return head


def _save(output: Path, bundle: Bundle) -> None:
    if output.suffix == _ZIP:
        save_private(output, _zipped(bundle.files))
        return
    for name, content in bundle.files.items():
        save_private(output / name, content)


def verify_evidence(path: Path, head: str | None) -> int:
    """Say whether a bundle is as it was made; returns 1 if it is not. Raises Complaint if it is no bundle."""
    try:
        found, troubles = verify_bundle(_read(path))
    except InvalidBundleError as error:
        raise CommandError(f"{path}: {error}") from None
    if head is not None and head.strip().casefold() != found:
        troubles.append(
            "its head is not the one that was given: this is not the evidence that was written down then"
        )
    for trouble in troubles:
        show_lines(f"{path}: {trouble}")
    if troubles:
        return 1
    show_lines(f"{path}: unchanged", f"Head: {found}")
    if head is None:
        print_note("Compare the head with the one that was printed then, or give it with --head.")
    return 0


def _read(path: Path) -> Mapping[str, bytes]:
    try:
        if path.suffix == _ZIP:
            return _unzipped(path)
        if path.is_file() and path.name != DOCUMENT:
            raise InvalidBundleError(f"give the directory, its {DOCUMENT}, or a {_ZIP} file")
        directory = path if path.is_dir() else path.parent
        return {one.name: one.read_bytes() for one in directory.iterdir() if one.is_file()}
    except zipfile.BadZipFile:
        raise InvalidBundleError("it is no ZIP file") from None


def _zipped(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _unzipped(path: Path) -> Mapping[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
            raise InvalidBundleError("it is too large")
        return {one.filename: archive.read(one) for one in archive.infolist()}
