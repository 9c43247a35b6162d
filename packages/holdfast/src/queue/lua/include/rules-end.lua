return {
  endRuns = endRuns, healRules = healRules, takeByRules = takeByRules, startRuns = startRuns,
  placeInGroup = placeInGroup, groupOf = groupOf,
}
end
