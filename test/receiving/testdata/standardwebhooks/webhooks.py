"""Stands in for the published Python library of Standard Webhooks, which Debian does not
have: the names that the guide uses, and the verification as its specification has it."""

import base64
import hashlib
import hmac
import json
import time


class WebhookVerificationError(Exception):
    pass


class Webhook:
    def __init__(self, secret):
        self.key = base64.b64decode(secret.removeprefix("whsec_"))

    def verify(self, data, headers):
        sent = {name.lower(): value for name, value in headers.items()}
        try:
            id, at = sent["webhook-id"], sent["webhook-timestamp"]
            if abs(time.time() - int(at)) > 300:
                raise WebhookVerificationError("too old or too new")
            digest = hmac.digest(self.key, f"{id}.{at}.".encode() + data, hashlib.sha256)
            signature = "v1," + base64.b64encode(digest).decode()
            if not any(hmac.compare_digest(signature, given) for given in sent["webhook-signature"].split(" ")):
                raise WebhookVerificationError("no signature matches")
        except (KeyError, ValueError) as error:
            raise WebhookVerificationError("no signature") from error
        return json.loads(data)
