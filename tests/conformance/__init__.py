"""What a shared HTTP cache must do, as a table, asked of real servers.

Every case is data in `cases/<topic>.py`: what a client sends, what the application behind the cache would
answer, and where the response has to come from. One test runs one case against one server and one store; the
cases know neither. Each case has a URL of its own, so that all of them run in one server undisturbed.

How to add a case
-----------------
Find the topic, and add one call to its table:

    case(
        "9111-5.2.2.1-max-age-over",             # RFC and section, then what it shows; unique
        get(says("Cache-Control: max-age=100")),  # the first request finds nothing: it is expected to miss
        get(expect=hit(age=(95, 95)), wait=95),   # 95 seconds later: answered without the application
        get(expect=miss(), wait=6),               # and then not any more
    )

`says(...)` is what the application answers, should it be asked: fields, `status=`, `body=` and the `manner=`
of giving it (see `origin.py`). Without `body=` every exchange has words of its own, all of one length, so
that it shows whose they are. `expect=` is one of

    hit(of=1)         not asked; the body is that of exchange 1
    miss()            asked once, for the whole thing, with no condition that the client didn't send
    validated(...)    asked once with these conditions; a 304 is answered with the body of exchange `of`
    origin()          asked, conditions or not; the body is only checked where `body=` is there
    stale(of=1)       asked in vain, answered from the store all the same
    either()          both is right; only what else is expected counts

and each takes

    has=, lacks=      fields of the response
    seen=, unseen=    fields of the request that the application got; "(query): a=1" is its query
    status=, body=    where they are not those of the exchange that the response is from
    age=(0, 5)        the least and the most that Age may say
    cache_status=     members of that field: "hit", "!stored", "fwd=stale", "ttl=10..20"
    also_calls=1      a refresh in the background
    calls=(1, 2)      how often the application is asked, at least and at most
    complete=False    the body breaks off
    eventually=True   it need not be so at once: asked again until it is

Fields are lines, `"Name: value"`. In them and in targets, `{t+100}` is a date 100 seconds after the case
began, `{now-5}` one 5 seconds before the exchange (`{t+100:850}` and `{t:asctime}` in the obsolete forms),
`{url}` the case's path, `{site}` its scheme and host, `{got:2:ETag}` what the response of exchange 2 said.

Time passes by `wait=` seconds: the cache's clock is moved, nobody sleeps. Use tens of seconds, so that a slow
machine changes nothing. Options of the cache are sets with names in `options.py`; `options=` picks one.

A case that cannot fail is worth nothing: `test_the_suite_itself.py` runs all of them against no cache at all
and against one that keeps everything for ever, and every case has to fail against one of the two.
"""
