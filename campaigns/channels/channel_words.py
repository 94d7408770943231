"""The words for what channels refuse: our codes of why somebody is not reached, and the errors of their providers."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

# Why one person gets no message on this channel.
REFUSALS: dict[str, LazyString] = {
    "no_address": _l("We know no address of this person on this channel."),
    "unsubscribed": _l("The person wants no more messages at this address."),
    "no_window": _l("The person has not written within a day, and the text is no template that WhatsApp approved."),
    "template_not_approved": _l("WhatsApp has not approved the template, or paused it."),
    "people_a_day": _l("The provider lets us begin with no more people today; the message waits for its turn."),
}

# https://www.twilio.com/docs/api/errors; https://core.telegram.org/bots/api#making-requests; RFC 5321, 4.2
ERRORS: dict[str, LazyString] = {
    "no_address": REFUSALS["no_address"],
    "bad_address": _l("This is no e-mail address."),
    "not_set_up": _l("This channel is not set up on this installation."),
    "no_answer": _l("The provider did not answer; the message may have left."),
    "no_connection": _l("There was no connection to the provider."),
    "unreadable": _l("The provider answered something that cannot be read."),
    "21655": _l("The provider does not know this template."),
    "21656": _l("The values of the template's variables are not what the provider expects."),
    "63001": _l("WhatsApp refused our account."),
    "63003": _l("WhatsApp does not know this number."),
    "63005": _l("WhatsApp does not take this kind of file, or it is too big."),
    "63007": _l("WhatsApp does not know our sender."),
    "63012": _l("WhatsApp failed."),
    "63013": _l("WhatsApp refused it: its rules were broken."),
    "63014": _l("The person blocked our sender on WhatsApp."),
    "63016": _l("The person has not written within a day: only an approved template may be sent."),
    "63018": _l("Our sender wrote to as many people as WhatsApp allows for now."),
    "63019": _l("The provider could not fetch the image or video from this installation."),
    "63021": _l("The text of the template with its values is too long for WhatsApp."),
    "63022": _l("WhatsApp refused the sender's name or profile."),
    "63024": _l("This number has no WhatsApp, or cannot take it now."),
    "63028": _l("A variable of the template has no value."),
    "63032": _l("WhatsApp does not deliver to this person now."),
    "63040": _l("WhatsApp rejected the template."),
    "63041": _l("WhatsApp paused the template: too many people complained."),
    "63042": _l("WhatsApp disabled the template for good."),
    "telegram-400": _l("Telegram does not know this chat: the person never started our bot."),
    "telegram-401": _l("Telegram refuses the bot's token."),
    "telegram-403": _l("The person blocked our bot on Telegram."),
    "telegram-429": _l("Telegram asked us to wait."),
    "smtp-535": _l("The mail server refuses our account."),
    "smtp-550": _l("Nobody is at this e-mail address."),
    "smtp-452": _l("The mailbox is full, or the message too big for it."),
    "smtp-552": _l("The mailbox is full, or the message too big for it."),
    "smtp-554": _l("The mail server took the message for unwanted."),
}
