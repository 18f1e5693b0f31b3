"""Several accounts here: each has its part of the time, and those that are one at Infobip share its lists."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config.settings import load_settings
from store.schema import listed
from store.vault import open_vault
from tests.support.infobip import KEY
from tests.sync.world import World, people
from workers.context import open_context
from workers.sync import sync

ADA, BOB = people(2)


@pytest.mark.parametrize("apart", [timedelta(), timedelta(hours=1)])
def test_what_another_account_asks_for_too_stays_until_nobody_does(world: World, apart: timedelta) -> None:
    world.suppress(ADA, BOB)
    world.sync(3)
    world.sleep(apart.total_seconds())
    shop = world.of("shop")
    shop.ahead = world.ahead
    shop.suppress(ADA)
    shop.sync(3)
    world.ahead = shop.ahead
    world.lift(ADA, BOB)
    world.having(ends=True).sync(4)
    assert world.there() == [(ADA, "", "", "CUSTOM")], "the shop asks for it still"
    assert (world.states(ADA), world.states(BOB)) == ({"there": 1}, {"remove verified": 1})
    assert shop.states(ADA) == {"add verified": 1}
    shop.ahead = world.ahead
    shop.lift(ADA)
    # Ids are made by the real clock, which is behind: all entries are gone through anew instead of the trail.
    shop.having(ends=True).sync(4)
    assert world.there() == []


def test_what_another_account_of_infobips_asks_for_keeps_nothing_there(world: World) -> None:
    world.suppress(ADA)
    world.sync(3)
    shop = world.of("shop")
    shop.suppress(ADA)
    shop.sync(3)
    with world.database.transaction() as connection:
        connection.execute(
            listed.update()
            .where(listed.c.address == world.vault.hash_address("shop", ADA))
            .values(account_key="another account's")
        )
    world.lift(ADA)
    world.sync(4)
    assert world.there() == []


def test_an_account_whose_list_is_long_leaves_time_for_the_others(
    world: World, database_url: str, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.toml"
    accounts.write_text(f'[shop]\nbase_url = "{world.infobip.url}"\nkey = "{KEY}"\n')
    state = tmp_path / "state"
    open_vault(state, world.database)
    settings = load_settings(
        {
            "DLR_STATE_DIR": str(state),
            "DLR_DATABASE_URL": database_url,
            "DLR_ACCOUNTS": str(accounts),
            "DLR_INFOBIP_URL": world.infobip.url,
            "DLR_INFOBIP_KEY": KEY,
            "DLR_SYNC_BLOCKLIST": "true",
            "DLR_SYNC_PULL": "true",
        }
    )
    # Reading all of it takes a second for each thousand, and so much longer than this round.
    world.put_there(*people(9_000, 447_700_920_000), channel="SMS")
    shop = world.of("shop")
    context = open_context(settings)
    try:
        shop.vault = context.vault
        shop.suppress(ADA)
        sync(context, 4)
    finally:
        context.database.close()
    with world.database.reading() as connection:
        read = connection.scalars(select(listed.c.account).distinct()).all()
    assert set(read) == {"main", "shop"}
