"""Receipts of accepted forms, kept for a minute: whoever sends the same form again gets the first answer, not a second.

A service keeps the receipt inside the transaction of what it accepts, so that a receipt is there exactly when the
change is; a refused form leaves none. What the answer holds is the adapter's affair: here it is sealed bytes, for the
browser that sent the form and no other.
"""

from __future__ import annotations

from datetime import timedelta
from time import sleep

from django.db import connection, transaction

from identity.foundation import clock, sealing
from identity.foundation.errors import DomainError, Misuse
from identity.foundation.names import uuid7
from pools.models import FormReceipt, UserPool, hot

LIFE = timedelta(minutes=1)
PATIENCE = 2.0
"""Seconds to wait for the answer to a form whose change is made already."""
PAUSE = 0.05
KEY, BROWSER, ANSWER = "form-receipt", "form-receipt-browser", "form-receipt:"


class AlreadyAccepted(DomainError):
    """The same form was accepted already: nothing was done again."""

    public = "This form was accepted already."


class Receipt:
    """One form as one browser sent it."""

    def __init__(self, pool: UserPool, form: str, *, browser: str) -> None:
        """Name it by its token with all that was filled in, and the browser by the nonce it holds."""
        self.pool_pk = pool.pk
        self.browser = browser
        self.committed = False
        """Whether this call's change was committed, and the receipt with it."""
        self._keys = sealing.keyed_hashes(KEY, form)
        self._patience = PATIENCE

    def keep(self) -> DomainError | None:
        """Keep it, in the transaction of the change; return the refusal of whose duplicate was faster.

        A change of several transactions is accepted with the first.
        """
        if not connection.in_atomic_block:
            raise Misuse("a receipt is kept in the transaction of what was accepted")
        if self.committed:
            return None
        now = clock.now()
        won = hot.keep_receipt(
            id=uuid7(),
            pool=self.pool_pk,
            key=self._keys[0],
            browser=sealing.keyed_hash(BROWSER, self.browser),
            expires_at=now + LIFE,
            now=now,
        )
        if not won:
            return AlreadyAccepted()
        transaction.on_commit(self._committed)
        return None

    def _committed(self) -> None:
        self.committed = True

    def fill(self, answer: bytes, *, browser: str) -> None:
        """Put the answer to the kept form in, for who holds the nonce of before, or the one that it gives."""
        sealed = sealing.seal_text(answer, purpose=ANSWER + self._keys[0].hex())
        own = FormReceipt.objects.filter(pool_id=self.pool_pk, key=self._keys[0])
        own.update(answer=sealed, next_browser=sealing.keyed_hash(BROWSER, browser))

    def answer(self) -> bytes | None:
        """Return what the same form was answered before, waiting a moment where that is not known yet; None for none.

        Nothing is told to another browser.
        """
        while (found := self._find()) is not None and not found.answer and self._patience > 0:
            self._patience -= PAUSE
            sleep(PAUSE)
        if found is None or not found.answer:
            return None
        try:
            return sealing.unseal_text(found.answer, purpose=ANSWER + bytes(found.key).hex())
        except sealing.Unsealable:  # by a key of which this process does not know yet
            return None

    def _find(self) -> FormReceipt | None:
        rows = FormReceipt.objects.filter(pool_id=self.pool_pk, key__in=self._keys, expires_at__gt=clock.now())
        found = rows.order_by("-expires_at").first()
        if found is None:
            return None
        stored = [mark for mark in (found.browser, found.next_browser) if mark is not None]
        return found if any(sealing.matches(BROWSER, self.browser, mark) for mark in stored) else None


def keep(receipt: Receipt | None) -> DomainError | None:
    """Keep a receipt, where the caller brought one; return the refusal of whose duplicate was faster."""
    return receipt.keep() if receipt is not None else None
