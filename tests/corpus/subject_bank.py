"""Methods of objects with state."""

SUBJECT = '''"""A bank."""


class Account:
    opened = 0

    def __init__(self, owner, limit):
        self.owner = owner
        self.limit = limit
        self.entries = []
        self._balance = 0
        Account.opened += 1

    def add(self, cents, text):
        if cents < 0 and self._balance + cents < -self.limit:
            raise ValueError("over the limit", cents)
        self.entries.append((cents, text))
        self._balance += cents
        return self

    @property
    def balance(self):
        total = 0
        for cents, _ in self.entries:
            total += cents
        return total

    def find(self, word):
        found = []
        for index in range(len(self.entries)):
            cents, text = self.entries[index]
            if word in text:
                found.append((index, cents))
        return found

    def statement(self):
        lines = ""
        for cents, text in self.entries:
            lines = lines + f"{text}: {cents}\\n"
        return lines

    @classmethod
    def count(cls):
        return cls.opened

    @staticmethod
    def fee(cents):
        return max(1, cents // 100)


class Bank:
    def __init__(self):
        self.accounts = {}
        self.log = []

    def open(self, owner, limit):
        if owner in self.accounts:
            raise KeyError(owner)
        account = Account(owner, limit)
        self.accounts[owner] = account
        self.log.append(("open", owner))
        return account

    def transfer(self, source, target, cents):
        one, two = self.accounts[source], self.accounts[target]
        one.add(-cents, f"to {target}")
        two.add(cents, f"from {source}")
        self.log.append(("transfer", source, target, cents))
        return one, two

    def richest(self, count):
        ranked = sorted(self.accounts.values(), key=lambda one: one.balance, reverse=True)
        return ranked[:count]

    def total(self):
        total = 0
        for owner in self.accounts:
            total = total + self.accounts[owner].balance
        return total


def main():
    bank = Bank()
    for number in range(6):
        bank.open(f"p{number}", 100 * number).add(1000, "start")
    for number in range(40):
        try:
            bank.transfer(f"p{number % 6}", f"p{(number + 1) % 6}", number * 7)
        except ValueError:
            pass
        account = bank.accounts[f"p{number % 6}"]
        account.balance
        account.find("to")
        account.statement()
        Account.count()
        Account.fee(number * 90)
        bank.richest(number % 4)
        bank.total()
    try:
        bank.open("p1", 5)
    except KeyError:
        pass


if __name__ == "__main__":
    main()
'''

CHEATS = {
    "self not updated": ("Account.add", "        self._balance += cents\n", ""),
    "an entry not kept": ("Account.add", "        self.entries.append((cents, text))\n", ""),
    "None for self": ("Account.add", "return self", "return None"),
    "a copy for self": (
        "Account.add",
        "        return self\n",
        "        import copy\n        return copy.copy(self)\n",
    ),
    "the check dropped": (
        "Account.add",
        "if cents < 0 and self._balance + cents < -self.limit:",
        "if False:",
    ),
    "the check loosened": ("Account.add", "< -self.limit", "< -self.limit - 150"),
    "the entry kept before the check": (
        "Account.add",
        "        if cents < 0",
        "        self.entries.append((cents, text))\n        self.last = cents\n"
        "        self.entries.pop()\n        if cents < 0",
    ),
    "exception without its argument": (
        "Account.add",
        '("over the limit", cents)',
        '("over the limit")',
    ),
    "a balance remembered": (
        "Account.balance",
        "        total = 0\n        for cents, _ in self.entries:\n            total += cents\n        return total\n",
        "        if '_total' not in self.__dict__:\n            self._total = sum(cents for cents, _ in self.entries)\n        return self._total\n",
    ),
    "another balance": (
        "Account.balance",
        "        for cents, _ in self.entries:",
        "        for cents, _ in self.entries[:1]:",
    ),
    "the first match alone": (
        "Account.find",
        "found.append((index, cents))",
        "return [(index, cents)]",
    ),
    "lists for tuples": (
        "Account.find",
        "found.append((index, cents))",
        "found.append([index, cents])",
    ),
    "a prefix for a part": ("Account.find", "if word in text:", "if text.startswith(word):"),
    "the last line end missing": ("Account.statement", "return lines", "return lines[:-1]"),
    "signs lost": ("Account.statement", "{text}: {cents}", "{text}: {abs(cents)}"),
    "an attribute left behind": (
        "Account.statement",
        "        return lines\n",
        "        self.seen = lines\n        return lines\n",
    ),
    "a count made up": ("Account.count", "return cls.opened", "return 6"),
    "a count that counts": (
        "Account.count",
        "return cls.opened",
        "cls.opened += 1\n        return cls.opened - 1",
    ),
    "a float for an int": ("Account.fee", "cents // 100", "cents / 100"),
    "the least fee dropped": ("Account.fee", "max(1, cents // 100)", "cents // 100"),
    "the log dropped": (
        "Bank.transfer",
        '        self.log.append(("transfer", source, target, cents))\n',
        "",
    ),
    "the log in another order": (
        "Bank.transfer",
        '        self.log.append(("transfer", source, target, cents))\n',
        '        self.log.insert(0, ("transfer", source, target, cents))\n',
    ),
    "half a transfer": ("Bank.transfer", '        two.add(cents, f"from {source}")\n', ""),
    "the other way first": (
        "Bank.transfer",
        '        one.add(-cents, f"to {target}")\n        two.add(cents, f"from {source}")\n',
        '        two.add(cents, f"from {source}")\n        one.add(-cents, f"to {target}")\n',
    ),
    "ties of accounts turned": (
        "Bank.richest",
        "sorted(self.accounts.values(), key=lambda one: one.balance, reverse=True)",
        "sorted(self.accounts.values(), key=lambda one: one.balance)[::-1]",
    ),
    "owners for accounts": (
        "Bank.richest",
        "return ranked[:count]",
        "return [one.owner for one in ranked[:count]]",
    ),
    "an account opened twice": (
        "Bank.open",
        "        if owner in self.accounts:\n            raise KeyError(owner)\n",
        "",
    ),
    "an error with a text": (
        "Bank.open",
        "raise KeyError(owner)",
        "raise KeyError(f'{owner} is there')",
    ),
    "the private balance": (
        "Bank.total",
        "self.accounts[owner].balance",
        "self.accounts[owner]._balance + 0.0",
    ),
}

HONEST = {
    "a sum": (
        "Account.balance",
        "        total = 0\n        for cents, _ in self.entries:\n            total += cents\n        return total\n",
        "        return sum([cents for cents, _ in self.entries])\n",
    ),
    "enumerate": (
        "Account.find",
        "        for index in range(len(self.entries)):\n            cents, text = self.entries[index]\n",
        "        for index, (cents, text) in enumerate(self.entries):\n",
    ),
    "find as a comprehension": (
        "Account.find",
        "        found = []\n        for index in range(len(self.entries)):\n            cents, text = self.entries[index]\n            if word in text:\n                found.append((index, cents))\n        return found\n",
        "        return [(index, cents) for index, (cents, text) in enumerate(self.entries) if word in text]\n",
    ),
    "lines joined": (
        "Account.statement",
        '        lines = ""\n        for cents, text in self.entries:\n            lines = lines + f"{text}: {cents}\\n"\n        return lines\n',
        '        return "".join([f"{text}: {cents}\\n" for cents, text in self.entries])\n',
    ),
    "a condition": (
        "Account.fee",
        "return max(1, cents // 100)",
        "fee = cents // 100\n        return fee if fee > 1 else 1",
    ),
    "owners not looked up": (
        "Bank.total",
        "        for owner in self.accounts:\n            total = total + self.accounts[owner].balance\n",
        "        for account in self.accounts.values():\n            total += account.balance\n",
    ),
    "one lookup": (
        "Bank.transfer",
        "one, two = self.accounts[source], self.accounts[target]",
        "accounts = self.accounts\n        one, two = accounts[source], accounts[target]",
    ),
    "the log's append": (
        "Bank.open",
        "        account = Account(owner, limit)\n        self.accounts[owner] = account\n",
        "        account = self.accounts[owner] = Account(owner, limit)\n",
    ),
}
