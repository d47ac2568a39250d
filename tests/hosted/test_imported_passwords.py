"""People whom an import brought with another system's hash of their password, at the pages."""

from __future__ import annotations

import pytest

from tests.hosted.world import CALLBACK, OTHER_PASSWORD, PASSWORD, World
from tests.importer import CHEAP, Importer, counted


def moved(world: World, hashing: str) -> str:
    """Import one person with a hash; return the address they sign in by."""
    name, importer = world.name(), Importer(world.idp, world.pool_id)
    encoded = CHEAP[hashing](PASSWORD).replace(",", "\\,")
    line = importer.line(name, email=name, password_hash=encoded, cognito__mfa_enabled="FALSE")
    job = importer.run(importer.file(line, more=["password_hash"]), hashing)
    assert counted(job) == ("Succeeded", 1, 0, 0)
    return name


@pytest.mark.parametrize("hashing", sorted(CHEAP))
def test_who_brings_a_hash_along_signs_in_at_the_page(world: World, hashing: str) -> None:
    name = moved(world, hashing)

    refused = world.visitor().sign_in(name, OTHER_PASSWORD)
    assert refused.path == "/login"
    assert refused.alert
    for _ in range(2):
        assert world.visitor().sign_in(name).url.startswith(CALLBACK)


def test_any_text_is_a_wrong_password_of_theirs(world: World) -> None:
    name = moved(world, "BCRYPT")

    for odd in ("Nul-\x00-horse-1", "ü" * 200, "x" * 10_000):
        assert world.visitor().sign_in(name, odd).status in {200, 400}


def test_a_password_that_was_imported_is_changed_on_the_account_page(world: World) -> None:
    name = moved(world, "PBKDF2_SHA256")
    visitor = world.visitor()
    visitor.open(f"{world.base}/account?client_id={world.client_id}")
    assert visitor.submit(username=name, password=PASSWORD).path == "/account"

    visitor.open(f"{world.base}/account/password?client_id={world.client_id}")
    visitor.submit(password=PASSWORD, new_password=OTHER_PASSWORD)

    assert world.visitor().sign_in(name, OTHER_PASSWORD).url.startswith(CALLBACK)
    assert world.visitor().sign_in(name).path == "/login"
