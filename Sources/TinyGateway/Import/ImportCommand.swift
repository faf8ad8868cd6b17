// SPDX-License-Identifier: MIT
import Platform
import Store

/// `tinygateway import FILE`: takes the database of One API or New API over.
///
/// The gateway must be stopped, since it owns its database. Everything is written in one
/// transaction; what is here already stays as it is, so that a second run changes nothing.
enum ImportCommand {
  /// Reads, writes and reports on standard output.
  ///
  /// - Returns: what went wrong, as a sentence; nil when the import is done.
  static func run(configuration: Configuration, invocation: Invocation) -> ByteString? {
    guard let file = invocation.operands.first else {
      return "name the database to import, as in tinygateway import one-api.db"
    }
    do throws(StartError) {
      let source = try ImportFile.open(file)
      let found = try ImportFile.product(of: source)
      let product = invocation.product ?? found
      let report =
        invocation.isDryRun
        ? try read(
          source, product, into: try ImportTarget.withoutWriting(configuration)
        ).report
        : try write(source, product, configuration)
      let text = report.text(
        file: file, product: product, directory: configuration.dataDirectory,
        isDryRun: invocation.isDryRun)
      ProcessContext.write(text, to: 1)
    } catch {
      return error.sentence
    }
    return nil
  }

  private static func read(
    _ source: Database, _ product: ForeignProduct, into target: ImportTarget
  ) throws(StartError) -> Importer {
    let importer = Importer(
      source: source, product: product, target: target, now: UnixTime.seconds)
    do throws(StoreError) {
      // One transaction, so that all tables are of one moment.
      try source.transaction { () throws(StoreError) in try importer.read() }
    } catch { throw ImportFile.unreadable(source.path, error) }
    return importer
  }

  private static func write(
    _ source: Database, _ product: ForeignProduct, _ configuration: Configuration
  ) throws(StartError) -> ImportReport {
    // Exclusive whatever is configured, so that no gateway runs meanwhile.
    var settings = configuration.storage
    settings.lockingMode = .exclusive
    let path = configuration.path("db.db")
    let database = try stored { () throws(StoreError) in
      let database = try Database(path: path, settings: settings)
      try RootAccount.ensure(in: database, configuration: configuration)
      return database
    }
    let target = try stored { () throws(StoreError) in try ImportTarget(from: database) }
    let channels = try stored { () throws(StoreError) in try ChannelTable.all(in: database) }
    let importer = try read(source, product, into: target)
    let secrets = try ChannelSecrets(
      path: configuration.path(ChannelSecrets.fileName), for: channels,
      log: Log(level: .warn, descriptor: 2))
    try stored { () throws(StoreError) in
      try database.transaction { () throws(StoreError) in
        try importer.plan.write(to: database, secrets: secrets, at: importer.now)
      }
      try database.close()
    }
    return importer.report
  }

  /// Failures of the own database in its sentences.
  private static func stored<R>(_ body: () throws(StoreError) -> R) throws(StartError) -> R {
    do throws(StoreError) { return try body() } catch { throw StartError(error.sentence.text) }
  }
}
