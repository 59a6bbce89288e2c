// While a file is on its way its page asks again every second (htmx). An answer that is no such page is not shown in it.
document.addEventListener("htmx:before:response", (event) => {
  const answer = event.detail.ctx.response.raw;
  if (answer.redirected) location.assign(answer.url); // the session is over: sign in again
  if (answer.redirected || !answer.ok) event.preventDefault();
});
