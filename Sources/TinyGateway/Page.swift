// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform

/// What a browser sees until the web pages exist.
enum Page {
  private static let text: StaticString = """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>TinyGateway</title>
    <h1>TinyGateway</h1>
    <p>One address in front of many language-model services. It runs.</p>
    <p>Applications: point your OpenAI SDK's <code>base_url</code> at <code>/v1</code> here.</p>
    <p>Owners: the management API is below <code>/api/v1</code>, described in
    <a href="/docs/API.md">API.md</a> and <a href="/openapi.json">openapi.json</a>. Web pages follow
    in a later version.</p>
    </html>

    """

  /// Answers with the page.
  static func answer(_ responder: Responder, _ requestID: Int64) {
    responder.respond(
      .ok,
      fields: { fields in
        fields.append(
          """
          Content-Type: text/html; charset=utf-8\r
          Content-Security-Policy: default-src 'self'; frame-ancestors 'none'\r
          X-Content-Type-Options: nosniff\r
          Referrer-Policy: no-referrer\r

          """)
        RequestID.appendHeaders(requestID, to: fields)
      },
      body: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}
