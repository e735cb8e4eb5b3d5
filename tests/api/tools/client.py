"""What a program in Python does with the generated client: it is type-checked, and run against a service."""

import sys
from uuid import UUID

from bookonce_client import AuthenticatedClient
from bookonce_client.api.accounts import get_account
from bookonce_client.api.transactions import get_transaction
from bookonce_client.api.writes import open_account, withdraw
from bookonce_client.models import Accepted, Account, Move, OpenAccount, OpenAccountCurrency
from bookonce_client.models import Problem, ProblemCode, Transaction

opening = UUID("018f4e6e-9d52-7a30-8f7e-0000000000b1")
client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])

asked = OpenAccount(transaction_id=opening, account="python", currency=OpenAccountCurrency.EUR)
opened = open_account.sync(client=client, body=asked)
assert isinstance(opened, Accepted) and opened.balance == "0.00", opened

more = Move(transaction_id=UUID("018f4e6e-9d52-7a30-8f7e-0000000000b2"), amount="40.00")
declined = withdraw.sync("python", client=client, body=more)
assert isinstance(declined, Problem) and declined.code is ProblemCode.INSUFFICIENT_FUNDS, declined

found = get_account.sync("python", client=client)
assert isinstance(found, Account) and found.balance == "0.00", found

seen = get_transaction.sync(str(opening), client=client)
assert isinstance(seen, Transaction) and seen.entries == [], seen

print("python: all as expected")
