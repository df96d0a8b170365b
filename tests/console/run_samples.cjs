// Runs the Node programs it is given, and says for each in a line of JSON what it printed or how it failed.

const exit = process.exit.bind(process);
const write = process.stdout.write.bind(process.stdout);

function outcome(path) {
  return new Promise((resolve, reject) => {
    let text = '';
    let failure;
    console.log = (line) => { text += line; };
    console.error = (error) => { failure = error; };
    process.exit = (status) => {
      if (status === 0) resolve({ answer: JSON.parse(text) });
      else if (failure && failure.statusCode) resolve({ answer: null, code: failure.code });
      else reject(failure);
    };
    require(path);
  });
}

async function main() {
  for (const path of process.argv.slice(2)) {
    write(`${JSON.stringify(await outcome(path))}\n`);
  }
}

main().then(() => exit(0), (error) => {
  process.stderr.write(`${error && error.stack}\n`);
  exit(1);
});
