// SPDX-License-Identifier: MIT
import Platform
import Testing

@testable import Store

/// Searches through rows in the file and in memory.
struct LogSearchTests {
  private func start(rows: Int64 = 0) throws -> Running {
    let running = try Running(try TemporaryFolder().open())
    _ = try running.perform { database throws(StoreError) in
      try LogTable.insert(
        (0..<rows).map { number in
          LogRecord(
            id: LogID.first(ofSecond: 1000) + number, requestID: number, userID: 1,
            tokenID: number % 1000, channelID: 1, modelID: 1)
        }, in: database)
    }
    return running
  }

  private func add(_ requests: ClosedRange<Int64>, _ running: Running) {
    for number in requests {
      running.batch.append(
        LogRecord(requestID: number, userID: 1, tokenID: 1, channelID: 1, modelID: 1), now: .now)
    }
  }

  /// All steps of a search with one want; checks that no step looks at more than a slice.
  private func requests(
    _ search: LogSearch, _ want: LogSearch.Want, _ running: Running
  ) throws -> (rows: [Int64], matches: Int64, steps: Int) {
    var (rows, matches, steps): ([Int64], Int64, Int) = ([], 0, 0)
    repeat {
      var slice: LogSearch.Slice?
      let rest = LogSearch.Want(
        skipped: max(0, want.skipped - matches), kept: want.kept - Int64(rows.count),
        counted: want.counted - matches)
      search.step(rest) { slice = try? $0.get() }
      running.settle()
      let found = try #require(slice)
      #expect(found.scannedCount <= LogSearch.sliceRowCount)
      rows += found.rows.map(\.requestID)
      matches += found.matchCount
      steps += 1
    } while !search.isAtEnd && matches < want.counted
    return (rows, matches, steps)
  }

  @Test func findsWhatIsNotWrittenYet() throws {
    let running = try start()
    add(1...3, running)
    running.batch.flush(now: .now)
    add(4...6, running)
    for (kept, skipped, expected): (Int64, Int64, [Int64]) in [
      (10, 0, [6, 5, 4, 3, 2, 1]), (2, 0, [6, 5]), (3, 2, [4, 3, 2]), (10, 5, [1]), (10, 9, []),
    ] {
      let want = LogSearch.Want(skipped: skipped, kept: kept, counted: 100)
      let found = try requests(running.batch.search(LogFilter()), want, running)
      #expect(found.rows == expected && found.matches == 6)
    }
  }

  @Test func findsNoRowTwiceWhenAFlushComesBetween() throws {
    let running = try start(rows: 20)
    add(100...103, running)
    let search = running.batch.search(LogFilter())
    let first = try requests(search, LogSearch.Want(kept: 3, counted: 3), running)
    running.batch.flush(now: .now)
    running.settle()
    add(200...203, running)
    let rest = try requests(search, LogSearch.Want(kept: 100, counted: 100), running)
    #expect(first.rows + rest.rows == [103, 102, 101, 100] + (0..<20).reversed())
  }

  @Test func looksForRareRowsInSlices() throws {
    let running = try start(rows: 12_000)
    var filter = LogFilter()
    filter.tokenID = 7
    let want = LogSearch.Want(kept: 100, counted: 100)
    let found = try requests(running.batch.search(filter), want, running)
    #expect(found.rows == (0..<12).reversed().map { $0 * 1000 + 7 })
    #expect(found.steps == 3)
  }

  @Test func goesOnBehindTheLastRow() throws {
    let running = try start(rows: 12_000)
    var filter = LogFilter()
    var seen: [Int64] = []
    repeat {
      let found = try requests(
        running.batch.search(filter), LogSearch.Want(kept: 700, counted: 700), running)
      seen += found.rows
      filter.before = found.rows.last.map { LogID.first(ofSecond: 1000) + $0 }
    } while seen.count < 12_000 && filter.before != nil
    #expect(seen == (0..<12_000).reversed())
  }

  @Test func deletesRowsInMemoryAndInTheFile() throws {
    let running = try start(rows: 12_000)
    add(1...3, running)
    var removed: Int64?
    running.batch.deleteLogs(before: 1001) { count, error in removed = error == nil ? count : nil }
    running.settle()
    #expect(removed == 12_000)
    running.batch.deleteLogs(before: UnixTime.seconds + 10) { count, _ in removed = count }
    running.settle()
    #expect(removed == 3)
    let want = LogSearch.Want(kept: 10, counted: 10)
    #expect(try requests(running.batch.search(LogFilter()), want, running).rows.isEmpty)
  }
}
