-- One row per mart: what one of its rows is, and its columns. (`columns` says what each of them means.)
select
    found.view_name as "table", -- its name in SQL
    found.comment as about, -- what one row of it is
    count(*) as n_columns, -- number of columns
    string_agg(columns."column", ', ' order by columns.position) as columns -- their names
from duckdb_views() as found join columns on columns."table" = found.view_name
where found.schema_name = 'main' and not found.internal
group by found.view_name, found.comment
