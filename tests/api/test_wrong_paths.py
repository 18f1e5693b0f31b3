"""What somebody is told who asks the address of /api and /proxy for something that is not there."""

import pytest

from tests.proxy.world import World


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v1/suppressions", 404),
        ("GET", "/api/v1/sends", 405),
        ("POST", "/webhook/sms", 404),
        ("GET", "/", 404),
        ("POST", "/proxy/no-such-key/sms/3/messages", 404),
    ],
)
def test_a_wrong_path_or_method_is_answered_with_what_lives_there(
    world: World, method: str, path: str, status: int
) -> None:
    answer = world.app().test_client().open(path, method=method, json={})
    assert answer.status_code == status
    assert answer.json is not None
    step = answer.json["error"]["next_step"]
    assert "POST /webhook/CHANNEL" not in step
    assert "/proxy/KEY" in step
    assert "DLR_WEB_BIND" in step


def test_every_route_of_the_api_is_named(world: World) -> None:
    app = world.app()
    answer = app.test_client().get("/api")
    assert answer.json is not None
    step = answer.json["error"]["next_step"].replace(" and ", ", ")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            parent, _, last = rule.rule.rpartition("/")
            assert parent in step
            assert last in step


def test_what_goes_wrong_otherwise_is_not_told_as_to_infobip(world: World) -> None:
    app = world.app()

    def fails() -> str:
        raise RuntimeError("a mistake of ours")

    app.add_url_rule("/api/v1/fails", view_func=fails)
    large = app.test_client().post(
        "/api/v1/sends", data=b" " * (33 * 1024 * 1024), headers={"Authorization": f"Bearer {world.key}"}
    )
    wrong = app.test_client().get("/api/v1/fails")
    for answer, status in ((large, 413), (wrong, 500)):
        assert answer.status_code == status
        assert answer.json is not None
        assert "Infobip" not in answer.json["error"]["next_step"]
        assert "maxBucketSize" not in answer.json["error"]["next_step"]
    assert "kept" not in wrong.json["error"]["message"]  # type: ignore[index]
