// Prints what the package's tests are: id, kind, and which others they rest on. Its folder is the argument.
import { pathToFileURL } from 'url'
import path from 'path'

const load = name => import(pathToFileURL(path.join(process.argv[2], 'tests', name)))
const suites = [...(await load('index.mjs')).default, (await load('surrogate-control.mjs')).default]
const tests = suites.flatMap(suite => suite.tests).filter(test => test.browser_only !== true)
console.log(JSON.stringify(tests.map(test => ({
  id: test.id, kind: test.kind ?? 'required', name: test.name, needs: test.depends_on ?? []
}))))
