"""The laws that no other tool can hold, one function each: it yields what a file does wrong.

To add one: write it, put it in ``RULES``, and plant ``violations/code/<name>.py``.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import cache

import botocore.loaders
import botocore.model

from tests.architecture.commits import commits
from tests.architecture.factor_names import factor_names
from tests.architecture.issuers import issuers
from tests.architecture.kind_names import kind_names
from tests.architecture.source import Source, dotted

FORBIDDEN = {"utils", "util", "helpers", "common", "core", "misc", "base", "lib", "manager", "domain"}
LONGEST = 400
# Longer than that, and why. A file that shrinks must leave the list.
LONG: dict[str, str] = {}
HANDLER = 25
# Files that may speak SQL: constant statements, each with a test of its plan.
SQL = (
    "pools/models/account_rows.py",
    "pools/models/app_client_rows.py",
    "pools/models/bulk_user_rows.py",
    "pools/models/grants.py",
    "pools/models/hot.py",
    "pools/models/locks.py",
    "pools/models/message_rows.py",
    "pools/models/partitions.py",
    "pools/models/statements.py",
    "pools/models/user_listing.py",
    "identity/telemetry.py",
    "identity/checks.py",
    "identity/embedded",
)
ENVIRONMENT = ("identity/environment.py", "identity/settings.py", "identity/embedded", "tests", "bench")
HANDING_ON = ("identity/celery.py", "identity/wsgi.py", "identity/serve.py", "identity/management")
# The installer of packages runs before anything can be imported.
CLOCK = ("identity/foundation/clock.py", "identity/embedded/packages.py", "tests", "bench")
CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "datetime.datetime.now", "date.today", "timezone.now",
    "time.time", "time.time_ns", "time.monotonic", "time.perf_counter",
}  # fmt: skip
# Public functions of services that write and take no actor, by the reason. One that takes one must leave the list.
PARTS = "a part of a verb, which takes the actor and writes the audit row"
BY_ITSELF = "the code's own bookkeeping: nobody asked for it"
NO_CHANGE = "no account or setting changes: it carries a sign-in on, whose event names who acted"
ACTORLESS: dict[str, dict[str, str]] = {
    "pools/services/atomic_part.py": {"begin": PARTS},
    "pools/services/codes.py": {"issue": PARTS, "take_try": PARTS, "spend": PARTS, "revoke": PARTS},
    "pools/services/configuration.py": {"touch": PARTS, "touch_identity_pool": PARTS},
    "pools/services/messages/deliveries.py": {"deliver": BY_ITSELF, "due": BY_ITSELF},
    "pools/services/sign_in/factors/sms.py": {"switch": PARTS, "delete": PARTS},
    "pools/services/sign_in/factors/totp.py": {"switch": PARTS, "delete": PARTS},
    "pools/services/lockout.py": {"take_guess": PARTS, "clear": PARTS},
    "pools/services/housekeeping.py": {
        **dict.fromkeys(("take_turn", "purge_users", "purge_unknown_callers", "reseal"), BY_ITSELF),
    },
    "pools/services/identity_pools/identities.py": {"keep": PARTS},
    "pools/services/providers/fetching.py": {"refresh": BY_ITSELF},
    "pools/services/providers/proofs.py": {"note": NO_CHANGE},
    "pools/services/providers/upstream_sessions.py": {"keep": NO_CHANGE},
    "pools/services/providers/health.py": {"check": "nothing changes: a receipt says that it was asked for"},
    "pools/services/tokens/participants.py": {"join": NO_CHANGE, "hand_over": NO_CHANGE},
    "pools/services/tokens/interactions.py": {"begin": NO_CHANGE, "spend": NO_CHANGE},
    "pools/services/messages/outbox.py": {"queue": PARTS},
    "pools/services/operators/operators.py": {"key_used": BY_ITSELF},
    "pools/services/sign_in/chosen_passwords.py": {"spend": PARTS},
    "pools/services/sign_in/sealed_attempts.py": {"spend": PARTS},
    "pools/services/people/external_logins.py": {"release": PARTS},
    "pools/services/people/password_history.py": {"keep": PARTS},
    "pools/services/people/passwords.py": {"store_first": PARTS, "replace_foreign": PARTS, "remove": PARTS},
    "pools/services/people/profile.py": {"store": PARTS},
    "pools/services/sign_in/attempt_tokens.py": {"count_try": PARTS},
    "pools/services/people/sign_in_names.py": {"claim": PARTS, "release": PARTS},
    "pools/services/pools/signing_keys.py": {"store": PARTS, "ensure_installation_keys": BY_ITSELF},
    "pools/services/tokens/authorization_codes.py": {"issue_code": NO_CHANGE},
}
# Parameters that say where a browser goes on, or whether it has to sign in first.
WAY_ON = {"response_type", "resume", "signed_in_since"}
WRITES = {"save", "create", "bulk_create", "get_or_create", "update", "update_or_create", "bulk_update", "delete"}
HOT_WRITES = {
    *(
        "account_rows.make_user",
        "account_rows.revoke_codes",
        "account_rows.set_status",
        "account_rows.store_password",
        "message_rows.queue",
        "hot.audit_once",
        "hot.execute",
        "hot.end_sign_in",
        "hot.redeem",
        "hot.keep_receipt",
        "hot.reserve_guess",
        "hot.start_family",
        "hot.step",
        "hot.count_try",
    ),
}
# What the owner of an account is told by mail.
TOLD = {f"Tag.{what}" for what in ("PASSWORD_CHANGED", "PASSWORD_RESET", "FACTOR_ENROLLED", "FACTOR_REMOVED")}
TOLD |= {"Tag.MFA_PREFERENCE_SET"}
# Who turns a name that somebody gave into a row: access, what it keeps ready, and the index of the names themselves.
FINDERS = ("pools/services/access.py", "pools/services/configuration.py", "pools/services/people/sign_in_names.py")
GIVEN = {"public_id", "client_id", "sub", "username", "email", "phone_number", "name"}
SCOPED = {"UserPool", "AppClient", "User", "IdentityPool", "Identity", "SignInName"}
WIRE_ONLY = ("pools/services", "pools/models", "pools/oidc", "pools/hosted", "pools/tasks.py", "identity/console")
HTTP = ("django.http", "django.shortcuts", "django.views", "django.urls", "django.template.response")
NOT_IN_RULES = (*HTTP, "celery", "django.core.mail", "smtplib")

Found = Iterator[str]
Rule = Callable[[Source], Found]


def names(source: Source) -> Found:
    """Names that say nothing are forbidden."""
    for part in source.parts:
        if part in FORBIDDEN:
            yield f"the name {part}"


def docstrings(source: Source) -> Found:
    """Every module says what it is."""
    if source.is_migration:
        return
    if not ast.get_docstring(source.tree):
        yield "no docstring"


def length(source: Source) -> Found:
    """A file that outgrows 400 lines is split by subject."""
    lines = source.text.count("\n")
    if source.is_migration or not source.is_product:
        return
    if lines > LONGEST and source.path not in LONG:
        yield f"{lines} lines"
    if lines <= LONGEST and source.path in LONG:
        yield "in the list of long files, and no longer long"


def thin_handlers(source: Source) -> Found:
    """An operation fetches by access, calls one service, returns a shape."""
    if not source.under("pools/cognito/operations"):
        return
    for node in source.walk():
        if isinstance(node, ast.FunctionDef) and any(dotted(by).endswith(".operation") for by in node.decorator_list):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            lines = (node.end_lineno or 0) - first.lineno + 1
            if lines > HANDLER:
                yield f"{node.name} has {lines} lines"


def environment(source: Source) -> Found:
    """Only settings read the environment; entry points may add to what they hand on."""
    if source.under(*ENVIRONMENT):
        return
    allowed = {
        id(node.func.value)
        for node in source.walk()
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"setdefault", "update"}
        and source.under(*HANDING_ON)
    }
    for node in source.walk():
        if dotted(node) in {"os.environ", "os.getenv", "os.environb"} and id(node) not in allowed:
            yield f"line {node.lineno} reads the environment"  # type: ignore[attr-defined]
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            if {alias.name for alias in node.names} & {"environ", "getenv", "environb"}:
                yield f"line {node.lineno} imports the environment"


def clocks(source: Source) -> Found:
    """Only foundation/clock reads time: tests freeze it there."""
    if source.under(*CLOCK) or source.is_migration:
        return
    for node in source.walk():
        if isinstance(node, ast.Attribute) and dotted(node) in CLOCKS:
            yield f"line {node.lineno} reads {dotted(node)}"
        if isinstance(node, ast.ImportFrom) and node.module == "time" and {a.name for a in node.names} - {"sleep"}:
            yield f"line {node.lineno} imports a clock"


def whole_saves(source: Source) -> Found:
    """``save()`` of all columns undoes what another request wrote: name them, or force an insert."""
    if not source.is_product:
        return
    for node in source.walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "save":
            given = {keyword.arg for keyword in node.keywords}
            # An opened session's own `save` is a method that inserts (sessions.OpenedSession).
            if not given & {"update_fields", "force_insert"} and dotted(node.func) != "opening.save":
                yield f"line {node.lineno} saves every column"


RUNNERS = {"hot.one", "hot.execute"}


def is_of_hot(node: ast.expr) -> bool:
    """Say whether an expression names one of the constant statements of ``hot``."""
    return isinstance(node, ast.Attribute) and node.attr.isupper() and dotted(node.value) == "hot"


def raw_sql(source: Source) -> Found:
    """SQL is written in a few files, as constants; others may run those of ``hot``, by their names."""
    if not source.is_product or source.is_migration or source.under(*SQL):
        return
    for node in source.walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"cursor", "raw", "extra"}:
                yield f"line {node.lineno} calls {node.func.attr}"
            if dotted(node.func) in RUNNERS and not (node.args and is_of_hot(node.args[0])):
                yield f"line {node.lineno} runs a statement of its own"
        if isinstance(node, ast.ImportFrom) and node.module == "pools.models.statements":
            yield f"line {node.lineno} imports what runs any statement"
        if isinstance(node, ast.Name | ast.alias) and getattr(node, "id", getattr(node, "name", "")) == "RawSQL":
            yield f"line {node.lineno} uses RawSQL"


def formatted_sql(source: Source) -> Found:
    """A statement is never put together from parts: not even where SQL may be written."""
    if not source.under(*SQL) or source.under(
        "identity/embedded", "pools/models/grants.py", "pools/models/partitions.py"
    ):
        return
    for node in source.walk():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "execute":
            if node.args and isinstance(node.args[0], ast.JoinedStr | ast.BinOp | ast.Call):
                yield f"line {node.lineno} formats a statement"


@cache
def amazons_members() -> frozenset[str]:
    """Return every member name of both services' shapes that could be taken for nothing else."""
    loader = botocore.loaders.Loader()
    found: set[str] = set()
    for service in ("cognito-idp", "cognito-identity"):
        model = botocore.model.ServiceModel(loader.load_service_model(service, "service-2"))
        for name in model.shape_names:
            shape = model.shape_for(name)
            if isinstance(shape, botocore.model.StructureShape):
                found |= set(shape.members)
    # One capital and no second word: headers and labels look like that too.
    return frozenset(name for name in found if name[0].isupper() and sum(letter.isupper() for letter in name) > 1)


def wire_names(source: Source) -> Found:
    """Amazon's member names do not occur below the wire adapter: as keys of mappings, or as the field of a refusal."""
    if not source.under(*WIRE_ONLY):
        return
    for node in source.walk():
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            keys = list(node.keys)
        elif isinstance(node, ast.Subscript):
            keys = [node.slice]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "pop"}:
            keys = list(node.args[:1])
        elif isinstance(node, ast.keyword) and node.arg == "field":
            keys = [node.value]
        for key in keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value in amazons_members():
                yield f"line {key.lineno} says {key.value}"


def no_http_in_rules(source: Source) -> Found:
    """Rules and storage know no HTTP, no SMTP and no Celery: ``later`` asks for tasks by name."""
    if not source.under("pools/services", "pools/models"):
        return
    for node in source.walk():
        modules = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for module in modules:
            if any(module == banned or module.startswith(banned + ".") for banned in NOT_IN_RULES):
                yield f"imports {module}"


def actors_are_named(source: Source) -> Found:
    """Who acts is said by name at every call: ``by`` is keyword-only."""
    if not source.under("pools/services"):
        return
    for node in source.walk():
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            if any(argument.arg == "by" for argument in (*node.args.posonlyargs, *node.args.args)):
                yield f"{node.name} takes `by` by position"


def actors_are_certain(source: Source) -> Found:
    """Who acts is never left open: ``by`` has no default, and is never None."""
    if not source.under("pools"):
        return
    for node in source.walk():
        if not isinstance(node, ast.FunctionDef):
            continue
        given = [*node.args.posonlyargs, *node.args.args]
        defaults = [*[None] * (len(given) - len(node.args.defaults)), *node.args.defaults, *node.args.kw_defaults]
        for argument, default in zip([*given, *node.args.kwonlyargs], defaults, strict=True):
            if argument.arg != "by" or argument.annotation is None:
                continue
            parts = {ast.unparse(part) for part in ast.walk(argument.annotation)}
            if default is not None or parts & {"None", "Optional"}:
                yield f"line {argument.lineno}: {node.name} may be told nobody"


def audited_in_services(source: Source) -> Found:
    """Audit rows and sign-in events are written where the rules are: an adapter asks a service, which writes them."""
    if not source.is_product or source.under("pools/services", "pools/models"):
        return
    for node in source.walk():
        # Rows are read anywhere (`audit.latest`); what makes one is not.
        if isinstance(node, ast.Attribute) and dotted(node).endswith(("audit.record", "audit.sign_in_event")):
            yield f"line {node.lineno} writes an audit row"
        if isinstance(node, ast.ImportFrom) and node.module == "pools.services.audit":
            for name in {alias.name for alias in node.names} & {"record", "sign_in_event", "Tag"}:
                yield f"line {node.lineno} imports {name}"


def refusals_by_recipe(source: Source) -> Found:
    """Law 1: what a refusal undoes, and that it is raised behind its transaction, is written once: ``atomic_part``."""
    if not source.is_product or source.under("pools/models"):
        return
    for node in source.walk():
        if isinstance(node, ast.Call) and dotted(node.func).endswith("set_rollback"):
            yield f"line {node.lineno} undoes a transaction by itself"
        if isinstance(node, ast.With) and any("transaction.atomic" in ast.unparse(item) for item in node.items):
            for inside in ast.walk(node):
                if isinstance(inside, ast.Raise) and inside.exc is not None:
                    yield f"line {inside.lineno} raises through a transaction"


def is_write(node: ast.AST) -> bool:
    """Say whether a call writes rows: the ORM's, a hot statement, or a transaction opened for some."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in WRITES:
        # A set's or dict's own `update` takes what it adds by position; a table's takes columns by name.
        return node.func.attr != "update" or not node.args
    return dotted(node.func) in HOT_WRITES | {"transaction.atomic", "atomic_part.begin"}


def writers_take_an_actor(source: Source) -> Found:
    """Law 4: whoever writes is told who acts, unless the list says why not."""
    if not source.under("pools/services"):
        return
    listed = set(ACTORLESS.get(source.path, {}))
    for function in source.tree.body:
        if not isinstance(function, ast.FunctionDef) or function.name.startswith("_"):
            continue
        takes = any(argument.arg == "by" for argument in (*function.args.args, *function.args.kwonlyargs))
        if takes or not any(is_write(node) for node in ast.walk(function)):
            continue
        if function.name not in listed:
            yield f"{function.name} writes and does not take `by`"
        listed.discard(function.name)
    for name in listed:
        yield f"{name} is in the list of writers without an actor, and is none"


def swallowed(source: Source) -> Found:
    """Nothing is swallowed: an ``except`` of everything must do something with it, or raise."""
    if not source.is_product:
        return
    for node in source.walk():
        if not isinstance(node, ast.ExceptHandler):
            continue
        caught = dotted(node.type) if node.type is not None else ""
        if caught in {"", "Exception", "BaseException"} and not isinstance(node.type, ast.Tuple):
            if all(isinstance(inside, ast.Pass | ast.Continue) for inside in node.body):
                yield f"line {node.lineno} swallows {caught or 'everything'}"


def finders(source: Source) -> Found:
    """Law 6: ``access`` is the only way from a given name to a pool, client, user or identity."""
    if not source.is_product or source.under(*FINDERS):
        return
    for node in source.walk():
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or root(node) not in SCOPED:
            continue
        asked = {(word.arg or "").partition("__")[0] for word in node.keywords} & GIVEN
        if asked and node.func.attr != "create":
            yield f"line {node.lineno} looks up by {', '.join(sorted(asked))}"


def root(node: ast.AST) -> str:
    """Return the name at which a chain of calls begins: ``User`` of ``User.objects.filter().first``."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return dotted(node)


def changes_are_told(source: Source) -> Found:
    """Whoever changes a password or a factor queues the mail that tells its owner."""
    if not source.under("pools/services"):
        return
    for function in source.tree.body:
        calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
        tells = any(dotted(call.func) == "notices.send" for call in calls)
        for call in calls:
            is_done = not any(word.arg == "outcome" for word in call.keywords)
            if dotted(call.func) == "audit.record" and dotted(call.args[0]) in TOLD and is_done and not tells:
                yield f"line {call.lineno} tells the owner nothing"


def one_way_on(source: Source) -> Found:
    """Where a browser goes on is decided by ``interactions`` alone: no page looks for the parameters that say it."""
    if not source.under("pools/hosted", "pools/web"):
        return
    for node in source.walk():
        if isinstance(node, ast.Constant) and node.value in WAY_ON:
            yield f"line {node.lineno} looks for {node.value}"


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        names,
        docstrings,
        length,
        thin_handlers,
        environment,
        clocks,
        whole_saves,
        raw_sql,
        formatted_sql,
        issuers,
        commits,
        factor_names,
        kind_names,
        wire_names,
        no_http_in_rules,
        actors_are_named,
        actors_are_certain,
        audited_in_services,
        refusals_by_recipe,
        writers_take_an_actor,
        swallowed,
        finders,
        changes_are_told,
        one_way_on,
    )
}
