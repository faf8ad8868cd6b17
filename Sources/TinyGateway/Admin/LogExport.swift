// SPDX-License-Identifier: MIT
import MiniHTTP
import Platform
import Store

/// The log as CSV on its way to one client: the next rows are read when it has taken the last.
///
/// Held by the job that reads rows, or by the stream that waits for the client, and by nobody once
/// the client is gone.
final class LogExport {
  /// Rows in one piece of the answer, about 40 kB.
  private static let pieceRowCount: Int64 = 200

  private let request: AdminRequest
  private let search: LogSearch
  private let writer: LogRow
  private let piece = Buffer()
  private let userID: Int64

  /// Prepares an export, for which a place was taken.
  init(_ request: AdminRequest, _ filter: LogFilter, _ user: User) {
    self.request = request
    search = request.gateway.batch.search(filter)
    writer = LogRow(request.gateway, for: user)
    userID = user.id
  }

  deinit { request.gateway.admin.exports.giveBack(of: userID) }

  /// Answers with the head and the names of the columns, then goes on by itself.
  func begin() {
    let limit = request.gateway.configuration.httpLimits.queuedByteCount
    let stream = AdminStream(request.reply, request.gateway.loop, queueLimit: limit) { fields in
      fields.append("Content-Type: text/csv; charset=utf-8; header=present\r\n")
      fields.append("Content-Disposition: attachment; filename=\"tinygateway-log.csv\"\r\n")
    }
    var csv = CSVWriter(piece)
    writer.writeHeader(&csv)
    send(to: stream)
  }

  private func send(to stream: AdminStream) {
    stream.write(piece)
    piece.clear()
    stream.whenReady { [self] in readOn(for: stream) }
  }

  private func readOn(for stream: AdminStream) {
    if search.isAtEnd || stream.isEnded { return stream.end() }
    let want = LogSearch.Want(
      kept: LogExport.pieceRowCount, counted: LogExport.pieceRowCount)
    search.step(want) { [self] result in
      switch result {
      case .success(let slice):
        var csv = CSVWriter(piece)
        for row in slice.rows { writer.write(row, &csv) }
        send(to: stream)
      case .failure(let error):
        request.gateway.log.write(.error) { line in
          line.append("an export of the log broke off: ")
          line.append(error.message)
        }
        stream.abort()
      }
    }
  }
}
