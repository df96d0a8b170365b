"""The encryption key of a service that moves to another database: `message-contacts copy`.

The secrets of access keys move as they are, sealed; what opens them has to move as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from message_contacts.access.keys import SealBrokenError, Vault
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.key_file import KeyFile, key_file
from message_contacts.settings import PREFIX, Settings
from message_contacts.settings.forms import is_postgres
from message_contacts.storage.moving import BATCH, Side, key_of
from message_contacts.storage.schema import ACCESS_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class MovingKeys:
    """The encryption keys of a service that moves."""

    vault: Vault
    #: Where they are; None: in the settings.
    file: KeyFile | None
    #: Where they are to be as well; None: nowhere, the settings name them.
    target_file: KeyFile | None

    def carry(self) -> None:
        """Write the target's key file, if it needs one."""
        if self.file is not None and self.target_file is not None and not self.target_file.path.exists():
            self.target_file.replace(self.file.read())


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the keys open."""

    secrets: int
    #: Access keys whose secrets no key opens.
    broken: tuple[str, ...]


def moving_keys(settings: Settings, source_url: str, target_url: str) -> MovingKeys:
    """The keys of the settings, or else of the file beside the source.

    Raises:
        StartError: There are none, or another key lies where the target's has to be.
    """
    accepted = settings.encryption_keys_accepted
    if settings.encryption_key is not None:
        return MovingKeys(vault=Vault(settings.encryption_key, *accepted), file=None, target_file=None)
    if is_postgres(source_url):
        raise StartError(f"{PREFIX}ENCRYPTION_KEY has to be set to that of the service: its secrets move as they are.")
    file = key_file(source_url)
    if not file.path.exists():
        raise StartError(
            f"There is no encryption key: put {file.path} back, which lay beside the database, or set "
            f"{PREFIX}ENCRYPTION_KEY."
        )
    keys = [entry.key for entry in file.read()]
    target_file = None if is_postgres(target_url) else key_file(target_url)
    if target_file is not None and target_file.path.exists() and [entry.key for entry in target_file.read()] != keys:
        raise StartError(f"{target_file.path} holds another encryption key than {file.path}: name another target.")
    return MovingKeys(vault=Vault(*keys, *accepted), file=file, target_file=target_file)


async def opened_secrets(side: Side, vault: Vault) -> Opened:
    """Try every sealed secret of one side of a move.

    Raises:
        StartError: There are secrets, and not one of them opens.
    """
    names = [column.name for column in ACCESS_KEY.columns]
    number, broken = 0, []
    after = None
    while page := await side.page(ACCESS_KEY, after, BATCH):
        after = key_of(ACCESS_KEY, page[-1])
        for row in page:
            number += 1
            access_key_id = row[names.index("access_key_id")]
            try:
                vault.opened_by(row[names.index("sealed_secret")], access_key_id)
            except SealBrokenError:
                broken.append(access_key_id)
    if number and len(broken) == number:
        raise StartError(
            f"The encryption key opens none of the {number} secrets of access keys. Set {PREFIX}ENCRYPTION_KEY to that "
            "of the service, or put back the key file that lay beside the database."
        )
    return Opened(secrets=number, broken=tuple(broken))
