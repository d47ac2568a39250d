"""Signing in to applications behind Shibboleth's service provider, which is by OpenSAML, and out again."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests import servers
from tests.hosted.upstream import heading
from tests.interop import apache, programs
from tests.interop.apache import Lane
from tests.interop.applications import GROUPS, Employer, rename
from tests.interop.organisations import is_encrypted
from tests.live import Live

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

NEEDS = "Shibboleth's service provider (apt-get install --no-install-recommends libapache2-mod-shib)"
PROGRAM, INSTALLED = "/usr/sbin/shibd", Path("/etc/shibboleth")
PATHS = {"plain": "default", "encrypted": "encrypted"}
"""By the path of an application, what it is called in the configuration."""
SESSIONS = """<Sessions handlerURL="/{path}/saml" relayState="ss:mem" checkAddress="false" handlerSSL="false"
    cookieProps="http" redirectLimit="exact">
  <SSO entityID="{pool}">SAML2</SSO>
  <Logout>SAML2 Local</Logout>
  <Handler type="MetadataGenerator" Location="/Metadata" signing="false"/>
</Sessions>
"""
CONFIGURATION = """<SPConfig xmlns="urn:mace:shibboleth:3.0:native:sp:config" clockSkew="180">
<InProcess logger="{folder}/logger"/>
<TCPListener address="127.0.0.1" port="{listener}" acl="127.0.0.1"/>
<ApplicationDefaults entityID="{base}/plain" signing="true">
  {plain}
  <MetadataProvider type="XML" path="{folder}/pool.xml"/>
  <AttributeExtractor type="XML" path="{folder}/attributes.xml"/>
  <CredentialResolver type="File" key="{folder}/key.pem" certificate="{folder}/certificate.pem"/>
  <ApplicationOverride id="encrypted" entityID="{base}/encrypted">{encrypted}</ApplicationOverride>
</ApplicationDefaults>
<SecurityPolicyProvider type="XML" path="{installed}/security-policy.xml"/>
<ProtocolProvider type="XML" path="{installed}/protocols.xml"/>
</SPConfig>
"""
ATTRIBUTES = """<Attributes xmlns="urn:mace:shibboleth:2.0:attribute-map"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <Attribute name="mail" nameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic" id="mail"/>
  <Attribute name="member" nameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:basic" id="member"/>
  <Attribute name="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" id="person">
    <AttributeDecoder xsi:type="NameIDAttributeDecoder" formatter="$Name"/>
  </Attribute>
</Attributes>
"""
LOGGER = """log4j.rootCategory=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.BasicLayout
"""
APPLICATION = """
<Location /{path}>
    AuthType shibboleth
    ShibRequestSetting requireSession true
    ShibRequestSetting applicationId {id}
    Require shib-session
    {told}
</Location>
<Location /{path}/saml>
    AuthType None
    Require all granted
</Location>
"""
TOLD = apache.told({"Person": "person", "Mail": "mail", "Member": "member"})


@pytest.fixture(scope="module")
def lane(live: Live) -> Iterator[Lane]:
    """Run the applications, which a pool knows from the start."""
    if not apache.has("mod_shib") or not shutil.which(PROGRAM):
        pytest.skip(f"needs: {NEEDS}")
    employer, port, listener = Employer(live), servers.free_port(), servers.free_port()
    base = f"http://127.0.0.1:{port}"
    with apache.folder() as folder:
        apache.introduce(employer, folder, "Shibboleth's")
        (folder / "attributes.xml").write_text(ATTRIBUTES)
        (folder / "logger").write_text(LOGGER)
        sessions = {path: SESSIONS.format(path=path, pool=employer.metadata_url) for path in PATHS}
        known = {"base": base, "listener": listener, "folder": folder, "installed": INSTALLED}
        (folder / "shibboleth.xml").write_text(CONFIGURATION.format(**known, **sessions))
        more = f"ShibConfig {folder}/shibboleth.xml\n"
        more += "".join(APPLICATION.format(path=path, id=each, told=TOLD) for path, each in PATHS.items())
        with apache.started(folder, port, {"mod_shib": "mod_shib"}, PATHS, more), daemon(folder, base):
            for path in PATHS:
                told = requests.get(f"{base}/{path}/saml/Metadata", timeout=10).content
                employer.register(told, encrypts=path == "encrypted", allows_unasked=path == "plain")
            yield Lane(employer, base)


@contextlib.contextmanager
def daemon(folder: Path, base: str) -> Iterator[None]:
    """Run what keeps the sessions of Apache's processes, from when they reach it."""
    log = folder / "shibd.log"
    command = [PROGRAM, "-F", "-f", "-c", str(folder / "shibboleth.xml"), "-p", str(folder / "shibd.pid")]
    environment = {**os.environ, "SHIBSP_LOGGING": str(folder / "logger")}
    with (
        log.open("wb") as output,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output) as process,
    ):
        try:
            programs.wait(f"{base}/plain/saml/Metadata", process, log, programs.PATIENCE)
            yield
        finally:
            process.kill()


@pytest.mark.parametrize("path", PATHS)
def test_who_signs_in_comes_to_the_page_they_wanted(lane: Lane, path: str) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    browser.open(f"{lane.base}/{path}/?page=7")
    lane.employer.sign_in(browser, name)

    assert is_encrypted(browser.carried[-1]["SAMLResponse"]) == (path == "encrypted")
    assert browser.here.url == f"{lane.base}/{path}/?page=7", browser.here.text
    found = browser.here.answer.headers
    assert len(found["Person"]) == 64
    assert (found["Mail"], sorted(found["Member"].split(";"))) == (f"{name}@example.org", sorted(GROUPS))


def test_sign_in_may_begin_at_the_pool(lane: Lane) -> None:
    browser, name = lane.employer.browser(), lane.employer.person()

    lane.employer.begin(browser, f"{lane.base}/plain", f"{lane.base}/plain/?page=7")
    lane.employer.sign_in(browser, name)

    assert browser.here.url == f"{lane.base}/plain/?page=7"
    assert browser.here.answer.headers["Mail"] == f"{name}@example.org"


def test_an_application_takes_nothing_that_was_edited(lane: Lane) -> None:
    browser = lane.employer.browser(rename)
    browser.open(f"{lane.base}/plain/")

    page = lane.employer.sign_in(browser, lane.employer.person())

    assert "signature could not be verified" in page.text
    assert not lane.knows(browser, "plain")


@pytest.mark.parametrize("path", PATHS)
def test_who_signs_out_there_is_signed_out_here_and_of_the_other(lane: Lane, path: str) -> None:
    browser, elsewhere, name = lane.employer.browser(), lane.employer.browser(), lane.employer.person()
    for each in (browser, elsewhere):
        lane.sign_in(each, path, name)
    [other] = set(PATHS) - {path}
    browser.open(f"{lane.base}/{other}/")
    assert lane.knows(browser, other)

    page = browser.open(f"{lane.base}/{path}/saml/Logout?return={lane.base}/")

    assert (page.status, page.url) == (200, f"{lane.base}/"), page.text
    assert [lane.knows(browser, each) for each in PATHS] == [False, False]
    assert not lane.employer.knows(browser)
    assert lane.employer.knows(elsewhere)
    assert lane.knows(elsewhere, path)


def test_who_signs_out_here_is_signed_out_there(lane: Lane) -> None:
    browser = lane.employer.browser()
    lane.sign_in(browser, "plain", lane.employer.person())
    browser.open(f"{lane.base}/encrypted/")
    assert lane.knows(browser, "encrypted")

    page = lane.employer.sign_out(browser)

    assert heading(page) == "You are signed out"
    assert [lane.knows(browser, path) for path in PATHS] == [False, False]
