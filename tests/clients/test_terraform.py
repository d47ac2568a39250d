"""Terraform with its aws provider, unchanged: what is applied plans nothing, changes in place, is imported and goes.

``terraform/`` has a plain, a full and the documented configuration, and one of each kind of identity provider, each
with the change that an override file makes. Nothing is fetched: a mirror of plugins that has the provider is looked
for, in ``TERRAFORM_MIRROR`` and where such mirrors usually are.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import servers
from tests.cognito.conftest import refused
from tests.live import Live

HERE = Path(__file__).parent / "terraform"
PROVIDER = "registry.terraform.io/hashicorp/aws"
MIRRORS = (
    *("~/.terraform.d/plugins", "~/.local/share/terraform/plugins", "~/.terraform.d/plugin-cache"),
    *("/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins", "/opt", "/opt/*"),
)
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())

IMPORTED: dict[str, Callable[[dict[str, Any]], str]] = {
    "aws_cognito_identity_pool": lambda kept: str(kept["id"]),
    "aws_cognito_identity_pool_provider_principal_tag": lambda kept: str(kept["id"]),
    "aws_cognito_identity_pool_roles_attachment": lambda kept: str(kept["id"]),
    "aws_cognito_identity_provider": lambda kept: f"{kept['user_pool_id']}:{kept['provider_name']}",
    "aws_cognito_managed_user_pool_client": lambda kept: f"{kept['user_pool_id']}/{kept['id']}",
    "aws_cognito_resource_server": lambda kept: str(kept["id"]),
    "aws_cognito_user": lambda kept: f"{kept['user_pool_id']}/{kept['username']}",
    "aws_cognito_user_group": lambda kept: str(kept["id"]),
    "aws_cognito_user_pool": lambda kept: str(kept["id"]),
    "aws_cognito_user_pool_client": lambda kept: f"{kept['user_pool_id']}/{kept['id']}",
    "aws_cognito_user_pool_domain": lambda kept: str(kept["id"]),
}
"""What each resource is imported by, as the provider's own pages say."""
NOT_IMPORTED = {"aws_cognito_user_in_group"}
"""The provider imports none of these: they are made again, which changes nothing of what is there."""


def provider() -> Path:
    """Return the folder of the newest provider that a mirror has for this machine."""
    where = [os.environ.get("TERRAFORM_MIRROR", ""), os.environ.get("TF_PLUGIN_CACHE_DIR", ""), *MIRRORS]
    found = [
        folder
        for root in filter(None, where)
        for folder in Path("/").glob(f"{str(Path(root).expanduser())[1:]}/{PROVIDER}/*/linux_{MACHINE}")
    ]
    if not shutil.which("terraform") or not found:
        pytest.skip(
            "by hand: terraform, and a mirror with hashicorp/aws (TERRAFORM_MIRROR); no package registry has it"
        )
    return max(found, key=lambda folder: [int(part) for part in folder.parent.name.split(".") if part.isdecimal()])


class Terraform:
    """A folder with a configuration and its state."""

    def __init__(self, folder: Path, case: str, live: Live) -> None:
        """Copy a configuration without its change, and the files that it reads."""
        folder.mkdir()
        self.folder, self.case = folder, case
        settings = folder / "settings.tfrc"
        # The provider is used where it lies: to install it would copy and hash 700 MB at each command.
        settings.write_text(f'provider_installation {{\n  dev_overrides {{ "hashicorp/aws" = "{provider()}" }}\n}}\n')
        key_id, secret = live.access_key
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ACCESS_KEY_ID": key_id,
            "AWS_SECRET_ACCESS_KEY": secret,
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "TF_VAR_cognate": live.base_url,
        }
        self.add(HERE / "provider.tf", HERE / case / "main.tf", *(HERE / case).glob("*.xml"))

    def add(self, *files: Path) -> None:
        """Add files to the configuration."""
        for file in files:
            shutil.copy(file, self.folder)

    def run(self, *command: str) -> str:
        """Run Terraform; return what it says."""
        done = subprocess.run(
            ["terraform", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"terraform {' '.join(command)}:\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def apply(self) -> dict[str, str]:
        """Apply; return what was done to which resource."""
        said = [json.loads(line) for line in self.run("apply", "-auto-approve", "-json").splitlines()]
        changes = [line["change"] for line in said if line["type"] == "planned_change"]
        return {change["resource"]["addr"]: change["action"] for change in changes if change["action"] != "read"}

    def expect_no_changes(self) -> None:
        """Expect that a plan has nothing to do: its exit status is 2 if it has."""
        self.run("plan", "-no-color", "-detailed-exitcode")

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return what the state keeps of each resource."""
        state = json.loads((self.folder / "terraform.tfstate").read_text())
        return {
            f"{kept['type']}.{kept['name']}": kept["instances"][0]["attributes"]
            for kept in state["resources"]
            if kept["mode"] == "managed"
        }

    def imports(self, resources: dict[str, dict[str, Any]]) -> None:
        """Have the next apply import these."""
        blocks = (
            f'import {{\n  to = {address}\n  id = "{IMPORTED[address.partition(".")[0]](kept)}"\n}}\n'
            for address, kept in resources.items()
            if address.partition(".")[0] not in NOT_IMPORTED
        )
        (self.folder / "imports.tf").write_text("".join(blocks))


@pytest.mark.interop
@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", ["plain", "full", "providers", "whole"])
def test_what_terraform_applies_it_finds_again(live: Live, tmp_path: Path, case: str) -> None:
    terraform = Terraform(tmp_path / "made", case, live)

    assert set(terraform.apply().values()) == {"create"}
    terraform.expect_no_changes()
    made = terraform.resources()

    terraform.add(HERE / case / "change_override.tf")
    changed = terraform.apply()
    assert changed
    assert changed == dict.fromkeys(changed, "update")
    terraform.expect_no_changes()
    assert {address: kept["id"] for address, kept in terraform.resources().items()} == {
        address: kept["id"] for address, kept in made.items()
    }

    again = Terraform(tmp_path / "imported", case, live)
    again.add(HERE / case / "change_override.tf")
    again.imports(made)
    imported = again.apply()
    assert imported.keys() == made.keys()
    made_again = {address for address, action in imported.items() if action not in {"import", "update"}}
    assert made_again == {address for address in made if address.partition(".")[0] in NOT_IMPORTED}
    again.expect_no_changes()

    again.run("destroy", "-auto-approve", "-no-color")
    for address, kept in made.items():
        if address.startswith("aws_cognito_user_pool."):
            with refused("ResourceNotFoundException"):
                live.boto().describe_user_pool(UserPoolId=kept["id"])


def test_the_page_shows_what_is_tested() -> None:
    page = (servers.ROOT / "docs" / "terraform.md").read_text()

    for file in (HERE / "provider.tf", HERE / "whole" / "main.tf"):
        assert f"```hcl\n{file.read_text()}```" in page


def test_the_page_of_identity_providers_shows_what_is_tested() -> None:
    page, tested = (servers.ROOT / "docs" / "providers.md").read_text(), (HERE / "providers" / "main.tf").read_text()

    blocks = re.findall(r"```hcl\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 4
    assert [block for block in blocks if block not in tested] == []
