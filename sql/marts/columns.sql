-- One row per column of a mart, with its type and meaning.
select
    found.table_name as "table", -- the mart
    found.column_name as "column", -- its name in SQL
    found.column_index as position, -- from 1
    found.data_type as type, -- DuckDB's type
    coalesce(own.description, shared.description) as description -- what it means
from duckdb_columns() as found
left join events.column_descriptions as own
    on own.table_name = found.table_name and own.column_name = found.column_name
left join events.column_descriptions as shared
    on shared.table_name = '' and shared.column_name = found.column_name
where found.schema_name = 'main' and not found.internal
