"""What the jobs of the asyncio queues share: the recipients, the messages of loadtest/bench-mailings, and their sending."""
import asyncio, base64, csv, email.utils, html, itertools, json, logging, os, pathlib, re, sys, time

import aiohttp, aiosmtplib

REDIS, TARGET = os.environ["REDIS_URL"], os.environ["TARGET"]
JOBS = int(os.environ["JOBS"])
"""Jobs that one worker process has under way at a time."""
WIDTH, BATCH = 32, 500
logging.disable(logging.INFO)   # some would write two lines a job
MAILINGS = pathlib.Path(__file__).resolve().parent.parent / "bench-mailings"


def template(text, prefix=""):
    return re.sub(r"\{\{(\w+)\}\}", rf"%({prefix}\1)s", text.replace("%", "%%"))


BODY = {key: template(value) for key, value in json.loads((MAILINGS / "webhook.json").read_text()).items()}
PAGE = (MAILINGS / "email.html").read_text()
WORDS = html.unescape(re.sub(r"<[^>]+>", "", PAGE.split("<body")[1].split(">", 1)[1])).strip()
MAIL = ("From: Example Shop <news@example.com>\nTo: %(email)s\nSubject: =?utf-8?B?%(subject)s?=\nMessage-ID: <%(id)s.bench@example.com>\n"
        f"Date: {email.utils.formatdate()}\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=part\n\n"
        "--part\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + template(WORDS) +
        "\n--part\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n" + template(PAGE, "html_") +
        "\n--part--\n").replace("\n", "\r\n")


def webhook(r):
    return json.dumps({key: value % r for key, value in BODY.items()}, ensure_ascii=False).encode()


def mail(r):
    subject = base64.b64encode(f"{r['first_name']}, 20 % off until Sunday".encode()).decode()
    return (MAIL % (r | {"html_" + key: html.escape(value) for key, value in r.items()} | {"subject": subject})).encode()


async def concurrently(width, items, do):
    """Does something with each item, at most `width` of them at a time."""
    items = iter(items)

    async def one_after_another():
        for item in items:
            await do(item)
    await asyncio.gather(*(one_after_another() for _ in range(width)))


class Sender:
    """Sends over connections that stay open; to be made inside the event loop."""

    def __init__(self):
        self.idle = []
        self.http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers={"Content-Type": "application/json"})

    async def post(self, r):
        async with self.http.post(TARGET, data=webhook(r)) as answer:
            await answer.read()
            return answer.status == 200

    async def send_mail(self, r):
        if self.idle:
            client = self.idle.pop()
        else:
            host, port = TARGET.removeprefix("smtp://").split(":")
            client = aiosmtplib.SMTP(hostname=host, port=int(port), local_hostname="bench.example.com", start_tls=False)
            await client.connect()
        refused, _ = await client.sendmail("news@example.com", [r["email"]], mail(r))
        self.idle.append(client)
        return not refused

    async def send(self, r):
        """The outcome of one recipient, for Redis."""
        try:
            return "ok" if await (self.send_mail(r) if TARGET.startswith("smtp:") else self.post(r)) else "refused"
        except (aiohttp.ClientError, aiosmtplib.SMTPException, OSError) as error:
            print(repr(error), file=sys.stderr)
            return "failed"

    async def outcomes(self, job):
        """The outcomes of a job by recipient; a job is one recipient or a batch of them."""
        if isinstance(job, dict):
            return {job["id"]: await self.send(job)}
        found = {}

        async def one(r):
            found[r["id"]] = await self.send(r)
        await concurrently(WIDTH, job, one)
        return found


def jobs(kind, file, count):
    """The jobs for the first so many recipients of a file. Says when it began, and what CPU the process had taken until then."""
    print(time.time(), time.process_time(), flush=True)
    with open(file, encoding="utf-8", newline="") as rows:
        recipients = itertools.islice(csv.DictReader(rows), int(count))
        if kind == "each":
            yield from recipients
        while batch := list(itertools.islice(recipients, BATCH)):
            yield batch
