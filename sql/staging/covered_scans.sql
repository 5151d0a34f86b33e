-- One row per scan_strata and figure that counts it: that of its own dataset and, once per scan, that of `all`.
select * exclude (counts_overall), false as pooled
from staging.scan_strata
union all by name
select * exclude (counts_overall) replace ('all' as dataset), true as pooled
from staging.scan_strata
where counts_overall
