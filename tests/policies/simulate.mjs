// Answers lines of JSON (an array of simulations) with lines of JSON (an array of answers), until its input ends.
// The one argument is the folder whose node_modules hold the evaluator.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'

const { runSimulation } = createRequire(`${process.argv[2]}/`)('@cloud-copilot/iam-simulate')

const layers = ['identity', 'resource', 'session', 'permissionBoundary', 'endpoint', 'scp', 'rcp']

function decisive(analysis) {
  const sids = []
  for (const layer of layers) {
    const part = analysis[`${layer}Analysis`]
    if (!part) continue
    for (const one of part.ouAnalysis ?? [part]) {
      for (const statement of [...one.denyStatements, ...one.allowStatements]) {
        sids.push(`${layer}: ${statement.explain.identifier}`)
      }
    }
  }
  return sids
}

async function answer(simulation) {
  const outcome = await runSimulation(simulation, {})
  if (outcome.resultType === 'error') return { error: JSON.stringify(outcome.errors) }
  const results = outcome.results ?? [outcome.result]
  return {
    result: outcome.overallResult,
    statements: results.flatMap((one) => decisive(one.analysis)),
    blockedBy: results.flatMap((one) => one.analysis.blockedBy ?? []),
    ignored: results.flatMap((one) => one.ignoredContextKeys ?? [])
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const answers = []
  for (const simulation of JSON.parse(line)) {
    answers.push(await answer(simulation).catch((error) => ({ error: String(error) })))
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`)
}
