-- How old are the people of each dataset?
select dataset, count(distinct subject_uid) as people, min(number) as youngest, median(number) as median, max(number) as oldest
from labels
where label = 'age'
group by all
order by dataset
