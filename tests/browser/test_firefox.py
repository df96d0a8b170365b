"""The console in Firefox's engine, driven by Mozilla's own Marionette client."""

from __future__ import annotations

import gc
import shutil
import socket
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Tenant

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of what it brings along
    from marionette_driver import By, Wait
    from marionette_driver.marionette import Marionette

#: Messages of errors on Firefox's own console that name the page's address.
_ERRORS = """
    return Services.console.getMessageArray()
        .filter(said => said instanceof Ci.nsIScriptError && !(said.flags & Ci.nsIScriptError.warningFlag))
        .map(said => `${said.sourceName}: ${said.errorMessage}`);
"""


@pytest.fixture
def firefox(tmp_path: Path) -> Iterator[Any]:
    """A Firefox of this test's own, without a window."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    assert program, "Firefox is missing: on Debian, apt-get install firefox-esr"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    profile = tmp_path / "profile"
    profile.mkdir()
    # It looks nowhere but at our pages.
    (profile / "user.js").write_text(
        f"""user_pref("marionette.port", {port});
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
""",
        "utf-8",
    )
    process = subprocess.Popen(
        [program, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    driver = Marionette(host="127.0.0.1", port=port)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves the sockets it tried to the collector
            driver.raise_for_port(timeout=60)
            gc.collect()
        driver.start_session()
        yield driver
    finally:
        with suppress(Exception):
            driver.delete_session()
        process.terminate()
        process.wait(30)


def _errors_of_pages(firefox: Any, base_url: str) -> list[str]:
    with firefox.using_context("chrome"):
        said: list[str] = firefox.execute_script(_ERRORS)
    return [line for line in said if base_url in line]


def test_a_contact_is_added_and_every_area_looked_at_in_firefox(firefox: Any, tenant: Tenant) -> None:
    firefox.navigate(f"{tenant.console}/sign-in")
    firefox.find_element(By.ID, "access_key_id").send_keys(tenant.key_id)
    firefox.find_element(By.ID, "access_key_secret").send_keys(tenant.secret)
    firefox.find_element(By.CSS_SELECTOR, "button.primary").click()
    Wait(firefox, timeout=15).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, "nav.areas a"))
    areas = [link.get_property("href") for link in firefox.find_elements(By.CSS_SELECTOR, "nav.areas a")]

    assert len(areas) == 8
    for area in areas:
        firefox.navigate(area)
        assert firefox.find_element(By.TAG_NAME, "h1").text
        assert firefox.find_element(By.CSS_SELECTOR, "nav.areas a[aria-current=page]").get_property("href") == area
        wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert firefox.execute_script(wide) <= 0, area
    firefox.navigate(f"{tenant.console}/contacts/add")
    for name, text in {"Name": "Tom", "EmailAddress": "tom@example.com", "Title": "Other"}.items():
        firefox.find_element(By.CSS_SELECTOR, f"[name={name}]").send_keys(text)
    firefox.find_element(By.CSS_SELECTOR, "[name=MessageTypes][value=SecurityMessage]").click()
    firefox.find_element(By.CSS_SELECTOR, "main button.primary").click()
    Wait(firefox, timeout=15).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".said"))

    assert [contact["Name"] for contact in tenant.call("ListMessageContacts")["Contacts"]] == ["Tom"]
    assert _errors_of_pages(firefox, tenant.base_url) == []
