"""A writer of the smallest workbook that readers take, for tests."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape


def excel(path: Path, rows: list[list[object]]) -> Path:
    """A workbook of one sheet, written by hand as the smallest valid xlsx."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for place, cell in enumerate(row):
            where = f'r="{chr(65 + place)}{number}"'
            if isinstance(cell, str):
                cells.append(f'<c {where} t="inlineStr"><is><t>{escape(cell)}</t></is></c>')
            else:
                cells.append(f"<c {where}><v>{cell}</v></c>")
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    related = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packaged = "http://schemas.openxmlformats.org/package/2006"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{packaged}/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{packaged}/relationships"><Relationship Id="r1" '
            f'Type="{related}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {space} xmlns:r="{related}"><sheets><sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{packaged}/relationships"><Relationship Id="r1" '
            f'Type="{related}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{''.join(lines)}</sheetData></worksheet>"
        )
    return path
