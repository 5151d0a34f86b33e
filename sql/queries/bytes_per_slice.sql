-- How much room does a stored slice take, per dataset and contrast?
select recipe_id, dataset, contrast, count(*) as scans, sum(n_slices) as slices,
    round(sum(store_bytes) / sum(n_slices)) as bytes_per_slice
from scans
where status = 'stored'
group by all
order by bytes_per_slice desc
