"""Makes small workbooks, by the file formats' own rules."""

import datetime as dt
import io
import zipfile
from collections.abc import Collection, Mapping, Sequence
from string import ascii_uppercase
from typing import Final
from xml.sax.saxutils import escape, quoteattr

Sheets = Mapping[str, Sequence[Sequence[object]]]

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_EPOCH: Final = dt.date(1899, 12, 30)


def xlsx(sheets: Sheets, hidden: Collection[str] = (), far: str | None = None) -> bytes:
    """Return an Excel workbook; `far` is the reference of one more cell on each sheet."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": _relations([("r", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATION}"><sheets>'
        + "".join(
            f"<sheet name={quoteattr(name)} sheetId='{at}' r:id='r{at}' state='{_state(name in hidden)}'/>"
            for at, name in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(
            [(f"r{at}", "worksheet", f"worksheets/sheet{at}.xml") for at in range(1, len(sheets) + 1)]
            + [("s", "styles", "styles.xml")]
        ),
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>'
        "</cellXfs></styleSheet>",
    }
    for at, rows in enumerate(sheets.values(), 1):
        body = "".join(f"<row r='{number}'>{_cells(number, row)}</row>" for number, row in enumerate(rows, 1))
        extra = f"<row r='{far.lstrip(ascii_uppercase)}'><c r='{far}'><v>1</v></c></row>" if far else ""
        parts[f"xl/worksheets/sheet{at}.xml"] = (
            f'<worksheet xmlns="{_MAIN}"><sheetData>{body}{extra}</sheetData></worksheet>'
        )
    return _zipped(parts)


def ods(sheets: Sheets) -> bytes:
    """Return an OpenDocument workbook."""
    tables = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    names = "urn:oasis:names:tc:opendocument:xmlns"
    return _zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": f'<office:document-content xmlns:office="{names}:office:1.0" '
            f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0" office:version="1.2"><office:body>'
            f"<office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{names}:manifest:1.0"/>',
        }
    )


def _state(hidden: bool) -> str:
    return "hidden" if hidden else "visible"


def _zipped(parts: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return file.getvalue()


def _relations(relations: Sequence[tuple[str, str, str]]) -> str:
    members = "".join(
        f'<Relationship Id="{number}" Type="{_RELATION}/{kind}" Target="{target}"/>'
        for number, kind, target in relations
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{members}</Relationships>'


def _cells(number: int, row: Sequence[object]) -> str:
    return "".join(_cell(f"{ascii_uppercase[at]}{number}", value) for at, value in enumerate(row))


def _cell(at: str, value: object) -> str:
    match value:
        case bool():
            return f"<c r='{at}' t='b'><v>{int(value)}</v></c>"
        case int() | float():
            return f"<c r='{at}'><v>{value}</v></c>"
        case dt.date():
            return f"<c r='{at}' s='1'><v>{(value - _EPOCH).days}</v></c>"
    return f"<c r='{at}' t='inlineStr'><is><t>{escape(str(value))}</t></is></c>"


def _ods_cell(value: object) -> str:
    match value:
        case bool():
            kind = f'office:value-type="boolean" office:boolean-value="{str(value).lower()}"'
        case int() | float():
            kind = f'office:value-type="float" office:value="{value}"'
        case dt.date():
            kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
        case _:
            kind = 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{escape(str(value))}</text:p></table:table-cell>"
