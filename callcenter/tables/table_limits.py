"""What a table may be at most, whatever file it comes in, and the sentences that say so."""

import re
import zipfile
from collections.abc import Callable

from callcenter.tables.file_faults import N_, UnreadableFileError

Row = tuple[int, list[str]]  # the row's number in the file, from 1, and its cells
Score = Callable[[list[str]], int]  # how many known column names a row holds

MAX_COLUMNS = 300
MAX_LINE_CHARS = 1_000_000
MAX_UNPACKED_BYTES = 1_500_000_000
MAX_STRINGS_BYTES = 300_000_000  # of a workbook's table of texts, the one part that is held in memory whole
MAX_RATIO = 250  # a full sheet packs 10 to 40 times; a bomb a thousand times
MAX_MEMBERS = 5_000  # of a workbook, pictures and all
CHUNK = 1 << 20
_DECLARATION = re.compile(rb"<\0?!\0?(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)")  # in UTF-16, too


def too_many_columns(row: int, columns: int) -> UnreadableFileError:
    return UnreadableFileError(
        N_("Row %(row)s has %(columns)s columns; the limit is %(limit)s. Leave only the columns of the list."),
        row=row,
        columns=columns,
        limit=MAX_COLUMNS,
    )


def too_long(number: int) -> UnreadableFileError:
    return UnreadableFileError(
        N_("Line %(number)s is longer than a table's can be. Check how the file was saved."), number=number
    )


def unclosed(number: int) -> UnreadableFileError:
    return UnreadableFileError(
        N_("Row %(number)s cannot be read: a quotation mark opens there and is never closed."), number=number
    )


def damaged() -> UnreadableFileError:
    return UnreadableFileError(N_("The workbook is damaged or has a password. Open it and save it again."))


def bomb() -> UnreadableFileError:
    return UnreadableFileError(N_("The file unpacks into more than we accept. Save the list as CSV and send that."))


def check_size(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that would unpack into more than a table can be, by what it declares."""
    declared = sum(member.file_size for member in archive.infolist())
    packed = sum(member.compress_size for member in archive.infolist())
    is_packed_too_well = declared > 10 * CHUNK and declared > packed * MAX_RATIO
    if declared > MAX_UNPACKED_BYTES or is_packed_too_well or len(archive.infolist()) > MAX_MEMBERS:
        raise bomb()


def unpacked_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> int:
    """What a member unpacks into in fact. Refused: more than `limit`, and XML that declares entities."""
    size, before = 0, b""
    is_xml = member.filename.endswith((".xml", ".rels", ".vml"))
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK):
            # No workbook declares entities; those who do want them expanded. In text "<" is always written &lt;.
            if is_xml and _DECLARATION.search(before + chunk):
                raise bomb()
            size, before = size + len(chunk), chunk[-20:]
            if size > limit:
                raise bomb()
    return size
