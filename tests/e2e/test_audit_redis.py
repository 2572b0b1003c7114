"""The copy of the audit log in a real Redis: what is there equals the files, whatever Redis does."""
import pytest
from audit_reader import RECORD, frames
from conftest import Server, wait_for
from test_audit import ask, ready


def check_copy(server, redis):
    """Every record of the files is in Redis once, in both of its streams, byte for byte."""
    chain, views, last = redis.chain(), {}, 0
    for path in sorted((server.state_dir / "audit/segments").glob("*.seg")):
        data, at = path.read_bytes(), 0
        for kind, tenant, sequence, _, _, _, body in frames(path):
            frame, at = data[at:at + 96 + len(body)], at + 96 + len(body)
            if kind == RECORD:
                assert chain.pop(f"{sequence}-1") == frame, sequence
                views.setdefault(tenant, []).append(body)
                last = sequence
    assert not chain, "Redis has what the files have not"
    for tenant, bodies in views.items():
        name = server.tenants[tenant - 1] if tenant else "@server"
        if tenant:
            there = redis.stream(f"ward:audit:{name}")
            assert [entry for entry, _ in there] == [
                f"{tenant}-{i + 1}" for i in range(len(bodies))]
            assert [fields[b"record"] for _, fields in there] == bodies
    return last


def has_all(server):
    return (server.metric("ward_audit_redis_up") == 1
            and server.metric("ward_audit_redis_lag_records") == 0)


def test_redis_gets_every_record_once(own_server, redis):
    server = own_server({"WARD_AUDIT_REDIS_URL": redis.url})
    for i in range(6):
        server.client(tenant=i % 2).chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": "canary-52"}], max_tokens=3)
    wait_for(lambda: has_all(server), "the copy")
    assert server.metric("ward_audit_redis_alarm") == 0
    assert b"canary" not in b"".join(redis.chain().values())
    assert server.stop() == 0
    assert check_copy(server, redis) > 12


def test_redis_may_come_and_go(own_server, redis):
    redis.stop()  # not there yet
    server = own_server({"WARD_AUDIT_REDIS_URL": redis.url})
    ask(server)
    redis.start()
    wait_for(lambda: has_all(server), "the first copy")
    for _ in range(3):
        redis.kill()
        wait_for(lambda: server.metric("ward_audit_redis_up") == 0, "its end to be noticed")
        assert ready(server) == ""
        ask(server)
        redis.start()
        ask(server)
        wait_for(lambda: has_all(server), "the copy")
    assert server.metric("ward_audit_redis_reconnects_total") >= 3
    assert server.stop() == 0
    check_copy(server, redis)


@pytest.mark.parametrize("options,settings,says", [
    (("--appendonly", "no"), {}, "append"),
    (("--maxmemory-policy", "allkeys-lru"), {}, "noeviction"),
    (("--appendonly", "no"), {"REDIS_UNSAFE": "warn"}, None),
    (("--appendonly", "no"), {"REQUIRE_AOF": "false"}, None),
])
def test_a_redis_that_may_lose_records_is_refused(own_server, redis, options, settings, says):
    redis.restart(*options)
    settings = {f"WARD_AUDIT_{name}": value for name, value in settings.items()}
    settings["WARD_AUDIT_REDIS_URL"] = redis.url
    if says is None:
        server = own_server(settings)
        wait_for(lambda: has_all(server), "the copy")
        assert server.stop() == 0
        check_copy(server, redis)
    else:
        with pytest.raises(RuntimeError) as refused:
            own_server(settings)
        assert says in str(refused.value) and redis.command("DBSIZE") == 0


def test_a_redis_of_another_server_is_left_alone(own_server, redis, tmp_path_factory):
    first = own_server({"WARD_AUDIT_REDIS_URL": redis.url})
    wait_for(lambda: has_all(first), "the copy")
    with pytest.raises(RuntimeError) as refused:
        Server(tmp_path_factory.mktemp("other"), {"WARD_AUDIT_REDIS_URL": redis.url})
    assert "audit.redis_prefix" in str(refused.value), str(refused.value)
    ask(first)
    wait_for(lambda: has_all(first), "the copy")
    assert first.stop() == 0
    check_copy(first, redis)
