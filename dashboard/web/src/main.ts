const state = document.getElementById("state");
fetch("/api/v1/session")
  .then((answer) => answer.json())
  .then((session: { version: string }) => {
    if (state) state.textContent = `netqoe ${session.version}`;
  });
