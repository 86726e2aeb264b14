/** The page that does what `wayside verify` does, in a browser and with no network. */
import { parseAddress } from '../../wire/address.ts'
import { judge } from '../proof.ts'

const file = element<HTMLInputElement>('file')
const operator = element<HTMLInputElement>('operator')
const verdict = element<HTMLOutputElement>('verdict')
let chosen: readonly File[] = []

file.addEventListener('change', () => look([...(file.files ?? [])]))
operator.addEventListener('input', () => look(chosen))
document.addEventListener('dragover', (event) => event.preventDefault())
document.addEventListener('drop', (event) => {
  event.preventDefault()
  look([...(event.dataTransfer?.files ?? [])])
})

/** Checks the files and shows what each proves; all must hold for the page to say that it holds. */
async function look(files: readonly File[]): Promise<void> {
  chosen = files
  const wanted = operator.value.trim()
  const named = wanted === '' ? undefined : parseAddress(wanted)
  if (wanted !== '' && named === undefined) {
    return show('no', [['That operator is not an address', '0x and 40 hex digits.']])
  }
  const findings: (readonly string[])[] = []
  let holds = files.length > 0
  for (const one of files) {
    const judgement = judge(new Uint8Array(await one.arrayBuffer()), named)
    if (!judgement.ok) holds = false
    const [title, lines] = judgement.ok
      ? ['It holds', judgement.sentences]
      : ['It does not hold', [judgement.why]]
    findings.push([files.length === 1 ? title : `${one.name}: ${title.toLowerCase()}`, ...lines])
  }
  show(holds ? 'yes' : 'no', findings)
}

/** Text only, never markup: a file may say anything. */
function show(holds: 'yes' | 'no', findings: readonly (readonly string[])[]): void {
  verdict.dataset.holds = holds
  const parts = findings.flatMap(([title = '', ...lines]) => [
    paragraph('strong', title),
    ...lines.map((line) => paragraph('span', line)),
  ])
  verdict.replaceChildren(...parts)
}

function paragraph(kind: 'strong' | 'span', text: string): HTMLElement {
  const inner = document.createElement(kind)
  inner.textContent = text
  const outer = document.createElement('p')
  outer.append(inner)
  return outer
}

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}
