-- Results of all ancestors of a step that are done. Caller: queries/steps.py ancestor_results.
SELECT a.step_name, a.results
FROM get_step_transitive_dependencies(%(step_uuid)s) AS a
WHERE a.processed
  AND a.results IS NOT NULL
