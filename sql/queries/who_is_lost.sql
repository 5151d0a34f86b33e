-- In which contrasts and at which vendors are scans lost most often?
select dataset, contrast, vendor, n_scans, round(refused_share, 3) as refused_share
from coverage
where n_scans > 0
order by refused_share desc, n_scans desc
