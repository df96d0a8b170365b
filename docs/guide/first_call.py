"""The first call with the vendor's own Python SDK: list the contacts of the demo."""

import os

from alibabacloud_resourcedirectorymaster20220419.client import Client
from alibabacloud_resourcedirectorymaster20220419.models import ListMessageContactsRequest
from alibabacloud_tea_openapi.models import Config

client = Client(
    Config(
        endpoint=os.environ.get("ALIBABA_CLOUD_ENDPOINT", "127.0.0.1:8080"),
        protocol="http",
        access_key_id=os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
    )
)
for contact in client.list_message_contacts(ListMessageContactsRequest()).body.contacts:
    print(contact.contact_id, contact.name, contact.status)
