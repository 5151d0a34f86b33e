-- One row per moment of a scan or label, in days on the scale of its kind: those of one kind can be subtracted.
-- A month or year without its day counts as its middle.
with told as (
    select "when", when_kind from staging.stg_scans where "when" <> ''
    union
    select "when", when_kind from staging.stg_labels where "when" <> ''
)
select
    "when", when_kind,
    case
        when when_kind = 'offset_days' then try_cast("when" as double)
        when when_kind = 'age_years' then 365.25 * try_cast("when" as double)
        when when_kind in ('date', 'shifted_date') then epoch(try_cast(
            "when" || case length("when") when 4 then '-07-01' when 7 then '-15' else '' end as date
        )) / 86400
    end as days
from told
where when_kind is not null
