"""What the words of contacts are called on pages, and where a refusal belongs in a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from message_contacts.console.site.message_words import CHANNELS, SUSPENSIONS, TYPES
from message_contacts.console.site.visit import Visit
from message_contacts.console.site.words import mark
from message_contacts.contacts.model import Status, Title
from message_contacts.errors import ApiError

#: What a contact's state is called, and its tone.
STATES: Mapping[str, tuple[str, str]] = {
    Status.VERIFYING: (mark("To be confirmed"), "waiting"),
    Status.ACTIVE: (mark("Active"), "good"),
    Status.DELETING: (mark("Being deleted"), "bad"),
}
TITLES: Mapping[str, str] = {
    Title.FINANCE_DIRECTOR: mark("Finance director"),
    Title.TECHNICAL_DIRECTOR: mark("Technical director"),
    Title.MAINTENANCE_DIRECTOR: mark("Maintenance director"),
    Title.CEO: mark("CEO"),
    Title.PROJECT_DIRECTOR: mark("Project director"),
    Title.OTHER: mark("Other"),
}
WAYS: Mapping[str, str] = {"link": mark("by the link"), "code": mark("by the code")}
LANGUAGES: Mapping[str, str] = {"zh": mark("Chinese"), "en": mark("English")}
#: What people can do about a refusal, by its code. Others are shown in the words of the API.
SENTENCES: Mapping[str, str] = {
    "MissingParameter.Name": mark("Enter a name."),
    "InvalidParameter.Name": mark("Use English letters or Chinese characters only, without spaces."),
    "InvalidParameter.Name.Length": mark("Use 2 to 12 letters or characters."),
    "InvalidParameter.Name.AlreadyUsed": mark("Another contact has this name already."),
    "MissingParameter.EmailAddress": mark("Enter an e-mail address."),
    "InvalidParameter.EmailAddress": mark("This is not an e-mail address that can be used."),
    "InvalidParameter.EmailAddress.Length": mark("This address is too long."),
    "InvalidParameter.PhoneNumber": mark("Write the country code, a hyphen and the number, such as 86-13900001234."),
    "InvalidParameter.MobileCountryCode": mark("Text messages cannot be sent to this country."),
    "MissingParameter.Title": mark("Choose a job title."),
    "MissingParameter.MessageTypes": mark("Choose at least one type of message."),
    "LimitExceeded.Contacts": mark("The directory has as many contacts as it may have. Delete one that is not needed."),
    "LimitExceeded.ContactMembers": mark("A contact can be bound to ten objects at most."),
    "InvalidParameter.Title": mark("Choose a job title."),
    "InvalidParameter.MessageTypes": mark("Choose from the types that there are."),
    "InvalidParameter.Members": mark("One of these is not the id of a directory, folder or member."),
    "InvalidMember": mark("One of these objects does not exist in the directory."),
    "ContactStatusMismatchAction": mark("In the state it is in now, the contact does not allow this."),
    "EntityNotExists.Contact": mark("This contact does not exist any more."),
    "EntityNotExists.Contact.Verification": mark("This address does not wait for confirmation any more."),
    "SendValidateCodeExceedsLimitForAccount": mark(
        "No more of these messages can be sent now: a limit is used up, or the owner of the address refused them."
    ),
    "ConcurrentCallNotSupported": mark("Somebody else is changing this at the same time. Try again."),
}


def spoken(visit: Visit) -> dict[str, Any]:
    """What templates of the area need beside what they are about."""
    _ = visit._
    return {
        "type_name": lambda word: _(TYPES[word]) if word in TYPES else word,
        "title_name": lambda word: _(TITLES[word]) if word in TITLES else word,
        "channel_name": lambda word: _(CHANNELS[word]) if word in CHANNELS else word,
        "suspension_name": lambda word: _(SUSPENSIONS[word]) if word in SUSPENSIONS else word,
        "way_name": lambda word: _(WAYS[word]) if word in WAYS else word,
        "language_name": lambda word: _(LANGUAGES[word]) if word in LANGUAGES else word,
        "contact_state": lambda word: (_(STATES[word][0]), STATES[word][1]) if word in STATES else (word, "plain"),
        "states": [(state, _(name)) for state, (name, _tone) in STATES.items()],
        "titles": [(title, _(name)) for title, name in TITLES.items()],
        "types": [(kind, _(name)) for kind, name in TYPES.items()],
        "all_types": len(TYPES),
        "said_of": lambda refusal: sentence(visit, refusal),
    }


def sentence(visit: Visit, refusal: ApiError) -> str:
    """What a refusal means, in the visitor's language where we have words for it."""
    code = refusal.definition.code
    if refusal.access_denied:
        permission = str(refusal.access_denied.get("AuthAction", ""))
        return visit._("Your key may not do this. Missing permission:") + f" {permission}"
    return visit._(SENTENCES[code]) if code in SENTENCES else refusal.message


def field_problems(visit: Visit, operation: str, refusal: ApiError | None) -> dict[str, Markup]:
    """By parameter, what is wrong with it; under an empty name, what concerns no parameter.

    Which parameter a refusal is about is told by the operation's declaration: the errors that it lists for each
    parameter, else the parameter's name within the error's code.
    """
    if refusal is None:
        return {}
    code = refusal.definition.code
    shown = Markup("{} <code>{}</code>").format(sentence(visit, refusal), code)
    declared = visit.calls.registry.find(visit.calls.version_of(operation), operation)
    for parameter in declared.parameters:
        listed = {error.code for error in (parameter.missing_error, *parameter.invalid)}
        if code in listed:
            return {parameter.name: shown}
    for parameter in declared.parameters:
        if parameter.name in code.split(".")[1:]:
            return {parameter.name: shown}
    return {"": shown}
