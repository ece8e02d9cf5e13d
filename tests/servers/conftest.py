import pytest

# The checks stand outside of test modules, and should explain their failures all the same.
pytest.register_assert_rewrite(
    *(
        f"{__package__}.{module}"
        for module in (
            "checks_answers", "checks_connections", "checks_failures", "checks_files",
            "checks_streams", "checks_takeovers", "checks_uploads", "comparison", "server",
        )
    )
)  # fmt: skip
