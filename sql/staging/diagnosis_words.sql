-- One row per word for a diagnosis that coverage counts under another: synonyms only, a finer diagnosis stays itself.
-- `word` is in small letters with single spaces. Labels keep the word of their source, and so do the heads' classes.
select word, diagnosis
from (values
    ('cn', 'control'), -- ADNI: cognitively normal
    ('nl', 'control'), -- ADNI's first phase: normal
    ('hc', 'control'),
    ('nc', 'control'),
    ('td', 'control'),
    ('tdc', 'control'),
    ('con', 'control'),
    ('ctl', 'control'),
    ('ctrl', 'control'),
    ('control', 'control'),
    ('controls', 'control'),
    ('control group', 'control'),
    ('healthy', 'control'),
    ('healthy control', 'control'),
    ('healthy controls', 'control'),
    ('normal control', 'control'),
    ('normal controls', 'control'),
    ('cognitively normal', 'control'),
    ('typically developing', 'control'),
    ('typically developing children', 'control'),
    ('ad', 'AD'),
    ('alzheimer''s disease', 'AD'),
    ('mci', 'MCI'),
    ('mild cognitive impairment', 'MCI'),
    ('pd', 'PD'),
    ('parkinson''s disease', 'PD'),
    ('asd', 'autism'),
    ('autism', 'autism'),
    ('autism spectrum disorder', 'autism'),
    ('adhd', 'ADHD'),
    ('schz', 'schizophrenia'),
    ('scz', 'schizophrenia'),
    ('schizophrenia', 'schizophrenia'),
    ('bipolar', 'bipolar disorder'),
    ('bipolar disorder', 'bipolar disorder')
) as words (word, diagnosis)
