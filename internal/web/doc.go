// Package web is the desk's pages over HTTP. It calls coordinator.Desk and holds
// no policy: what somebody may see or do is asked of cvd.May, by the desk, with
// the actor that a session stands for.
//
//	request ─► guard (id, log, limits, headers, host, origin) ─► table of pages
//	        ─► session ─► Visit ─► handler ─► coordinator.Desk ─► template
//
// Pages stand in one table: a pattern, who may come, and a handler that gets a
// Visit and returns an error. Handlers write nothing before they know that all
// went well: a page is rendered whole, then sent. Errors become pages in one
// place, which says what happened, what was kept and what to do, with the id by
// which the process log has it. What somebody may not look at gives the same
// answer, byte for byte in length, as what isn't there.
//
// Pages work without JavaScript, but for passkeys. Nothing is loaded from
// elsewhere, no script or style stands inline, and there is no build step: the
// templates, the style sheet and the one script are embedded as they are.
//
// No page carries a package's content to a member: members fetch the sealed file.
// Don't put secrets into paths or queries, which end in logs of others; don't
// log bodies, cookies, names or titles.
package web
