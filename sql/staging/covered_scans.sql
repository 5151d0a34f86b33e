-- One row per scan_strata and figure that counts it: that of its own dataset and, once per scan, that of `all`.
select * exclude (counts_overall, own) replace (case when pooled then 'all' else own end as dataset)
from (
    select
        *, dataset as own,
        unnest(case when counts_overall then [false, true] else [false] end) as pooled
    from staging.scan_strata
)
