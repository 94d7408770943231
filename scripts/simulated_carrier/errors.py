"""Refusals in Twilio's words: HTTP status, code and sentence side by side (https://www.twilio.com/docs/api/errors)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ApiError(Exception):
    """Becomes Twilio's JSON error body."""

    status: int
    code: int
    message: str

    def body(self) -> dict[str, object]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def authenticate() -> ApiError:
    return ApiError(401, 20003, "Authenticate")


def not_found(what: str) -> ApiError:
    return ApiError(404, 20404, f"The requested resource {what} was not found")


def too_many() -> ApiError:
    return ApiError(429, 20429, "Too Many Requests")


def internal() -> ApiError:
    return ApiError(500, 20500, "Internal Server Error")


def missing(name: str) -> ApiError:
    code = {"To": 21201, "From": 21213, "Url": 21205, "Body": 21602}.get(name, 20001)
    return ApiError(400, code, f"A '{name}' is required")


def invalid_to(to: str) -> ApiError:
    return ApiError(400, 21211, f"The 'To' number {to} is not a valid phone number.")


def invalid_from(sender: str) -> ApiError:
    return ApiError(
        400, 21212, f"The 'From' number {sender} is not a valid phone number, shortcode, or alphanumeric id."
    )


def not_ours(sender: str) -> ApiError:
    return ApiError(400, 21210, f"The source phone number provided, {sender}, is not yet verified for your account.")


def not_sms_capable(sender: str) -> ApiError:
    return ApiError(400, 21606, f"The 'From' phone number {sender} is not a message-capable number for your account.")


def not_mobile(to: str) -> ApiError:
    return ApiError(400, 21614, f"'To' number is not a valid mobile number: {to}")


def unsubscribed() -> ApiError:
    return ApiError(400, 21610, "Attempt to send to unsubscribed recipient")


def body_too_long() -> ApiError:
    return ApiError(400, 21617, "The concatenated message body exceeds the 1600 character limit")


def not_in_progress() -> ApiError:
    return ApiError(400, 21220, "Call is not in-progress. Cannot redirect.")


def bad_value(name: str, value: str) -> ApiError:
    return ApiError(400, 20001, f"Invalid value for parameter {name}: {value}")
