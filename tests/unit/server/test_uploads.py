"""The routes of uploads: pieces go to disk, in order, for a token and an origin of ours, and say what stands in the way."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from serving import Served
from starlette.requests import Request

from amad.limits import UPLOAD
from amad.workspace.incoming import Incoming
from app.server import tokens, uploads


def headers(served: Served, owner: str = "me", **more: str) -> dict[str, str]:
    return {"x-amad-token": tokens.mint_upload(served.store, owner), **more}


def begin(served: Served, size: int = 6, name: str = "pump.csv", **more: str) -> Any:
    return served.client.post("/amad/uploads", json={"name": name, "size": size}, headers=headers(served, **more))


def test_a_file_comes_in_pieces_and_can_go_on_where_it_broke_off(served: Served) -> None:
    told = begin(served)
    assert told.status_code == 201
    key = told.json()["id"]
    address, word = f"/amad/uploads/{key}", headers(served)
    first = served.client.put(address, params={"offset": 0}, content=b"a,b\n", headers=word)
    assert first.json() == {"id": key, "name": "pump.csv", "size": 6, "received": 4, "whole": False}
    late = served.client.put(address, params={"offset": 5}, content=b"2", headers=word)
    assert (late.status_code, late.json()["error"]) == (409, "Bytes 5 onwards came, 4 are here.")
    assert served.client.get(address, headers=word).json()["received"] == 4
    assert served.client.put(address, params={"offset": 4}, content=b"1,", headers=word).json()["whole"] is True
    found = Incoming(served.store.path).find("me", key).path
    assert found is not None
    assert found.read_bytes() == b"a,b\n1,"
    assert found.is_relative_to(served.store.path)


def put(served: Served, key: str, messages: list[Any]) -> int:
    """PUTs a body that comes in these messages; the status of the answer."""
    coming = iter(messages)

    async def receive() -> Any:
        return next(coming)

    word = [(name.encode(), value.encode()) for name, value in headers(served).items()]
    scope = {
        "type": "http", "method": "PUT", "path": f"/amad/uploads/{key}", "query_string": b"offset=0", "headers": word,
        "path_params": {"id": key},
    }  # fmt: skip
    return asyncio.run(uploads.upload(Request(scope, receive))).status_code


def test_a_large_piece_is_written_block_by_block(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_BLOCK", 1000)
    sizes: list[int] = []
    write = Incoming.write

    def noted(self: Incoming, owner: str, key: str, offset: int, data: bytes) -> Any:
        sizes.append(len(data))
        return write(self, owner, key, offset, data)

    monkeypatch.setattr(Incoming, "write", noted)
    content = bytes(range(256)) * 40
    key = begin(served, len(content)).json()["id"]
    parts = [content[at : at + 700] for at in range(0, len(content), 700)]
    assert put(
        served, key, [{"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts]
    )
    assert max(sizes) < 2000
    assert len(sizes) > 5
    found = Incoming(served.store.path).find("me", key).path
    assert found is not None
    assert found.read_bytes() == content


def test_what_came_of_a_piece_stays_when_the_connection_breaks(served: Served) -> None:
    key = begin(served).json()["id"]
    broken = [{"type": "http.request", "body": b"a,b", "more_body": True}, {"type": "http.disconnect"}]
    assert put(served, key, broken) == 400
    assert Incoming(served.store.path).find("me", key).received == 3


def test_cancel_takes_it_away(served: Served) -> None:
    key = begin(served).json()["id"]
    served.client.put(f"/amad/uploads/{key}", params={"offset": 0}, content=b"abc", headers=headers(served))
    assert served.client.delete(f"/amad/uploads/{key}", headers=headers(served)).status_code == 204
    assert list(Path(served.store.path, "incoming").iterdir()) == []
    assert served.client.get(f"/amad/uploads/{key}", headers=headers(served)).status_code == 404


@pytest.mark.parametrize("more", [{"origin": "http://elsewhere.example"}, {"sec-fetch-site": "cross-site"}])
def test_another_site_sends_nothing(served: Served, more: dict[str, str]) -> None:
    answer = begin(served, **more)
    assert (answer.status_code, answer.json()["error"]) == (403, "Only a page of this app may send files.")
    assert not (served.store.path / "incoming").exists()


@pytest.mark.parametrize("more", [{"origin": "http://testserver"}, {"sec-fetch-site": "same-origin", "origin": "null"}])
def test_a_page_of_ours_does(served: Served, more: dict[str, str]) -> None:
    assert begin(served, **more).status_code == 201


def test_no_token_no_upload_and_no_one_else_s(served: Served) -> None:
    key = begin(served).json()["id"]
    other = {"x-amad-token": served.token()}  # of the timeline's data
    for word in ({}, {"x-amad-token": "x"}, other):
        assert served.client.get(f"/amad/uploads/{key}", headers=word).status_code == 403
    assert served.client.get(f"/amad/uploads/{key}", headers=headers(served, "you")).status_code == 404
    assert served.client.delete(f"/amad/uploads/{key}", headers=headers(served, "you")).status_code == 204
    assert served.client.get(f"/amad/uploads/{key}", headers=headers(served)).status_code == 200


def test_an_upload_token_opens_no_data(served: Served) -> None:
    assert served.get(token=tokens.mint_upload(served.store, served.series.id)).status_code == 403


def test_the_limit_is_told_with_its_setting(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(UPLOAD, "1")
    answer = begin(served, 2_000_000)
    assert answer.status_code == 413
    assert answer.json()["error"].startswith('"pump.csv" has 2 MB; this server takes 1 MB a file. ')
    assert UPLOAD in answer.json()["error"]


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b'{"name": 1, "size": 2}', b'{"name": "a", "size": true}'])
def test_a_begin_that_says_nothing_is_refused(served: Served, body: bytes) -> None:
    assert served.client.post("/amad/uploads", content=body, headers=headers(served)).status_code == 400


def test_a_begin_that_never_ends_is_cut_off(served: Served) -> None:
    assert served.client.post("/amad/uploads", content=b" " * 5000, headers=headers(served)).status_code == 413


@pytest.mark.parametrize("offset", ["", "-1", "x", "1e3", "9" * 16])
def test_an_offset_is_a_whole_number(served: Served, offset: str) -> None:
    key = begin(served).json()["id"]
    answer = served.client.put(f"/amad/uploads/{key}", params={"offset": offset}, content=b"a", headers=headers(served))
    assert answer.status_code == 400
