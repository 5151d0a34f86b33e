-- Has any encoder seen test subjects of a task it is judged on?
select encoder_id, task, max(seen_test_subjects) as seen, max(n_test) as test_subjects
from fits
where seen_test_subjects > 0
group by all
order by seen desc
