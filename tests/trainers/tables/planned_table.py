"""The plan of a table, as `trainers.reproduce` makes it."""

from trainers.tables import plan as table_plan


def planned(table, data, workdir, **choices):
    choices = table_plan.Choices(str(workdir), **choices)
    sources = table_plan.find_sources(data, table)
    return table_plan.plan(table, table.rows, sources, choices), sources, choices
