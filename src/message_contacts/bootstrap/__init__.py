"""Puts a service together. Nothing is opened by importing; `build` makes the parts, `Service` opens and closes them."""

from message_contacts.bootstrap.building import CHANNELS, build
from message_contacts.bootstrap.errors import StartError
from message_contacts.bootstrap.service import Service

__all__ = ["CHANNELS", "Service", "StartError", "build"]
