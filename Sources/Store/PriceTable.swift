// SPDX-License-Identifier: MIT
import Platform

/// What a model costs: quota units for each token or image.
package struct PriceRecord: Equatable, Sendable {
  package var id: Int64
  /// A model's public name, or a pattern in which `*` stands for any text.
  package var model: ByteString
  package var prompt: Ratio
  /// nil for that of prompt tokens.
  package var completion: Ratio?
  /// Of prompt tokens that the upstream had kept; nil for that of the others.
  package var cached: Ratio?
  /// Of each generated image; nil for nothing.
  package var image: Ratio?
  /// nil for that of other prompt tokens.
  package var audioPrompt: Ratio?
  /// nil for that of other completion tokens.
  package var audioCompletion: Ratio?
  /// Unix seconds.
  package var createdAt: Int64

  /// Makes a record; `id` is not for the caller to choose.
  package init(
    id: Int64 = 0, model: ByteString, prompt: Ratio, completion: Ratio? = nil,
    cached: Ratio? = nil, image: Ratio? = nil, audioPrompt: Ratio? = nil,
    audioCompletion: Ratio? = nil, createdAt: Int64 = 0
  ) {
    self.id = id
    self.model = model
    self.prompt = prompt
    self.completion = completion
    self.cached = cached
    self.image = image
    self.audioPrompt = audioPrompt
    self.audioCompletion = audioCompletion
    self.createdAt = createdAt
  }

  /// Reads a row in the schema's order of columns, which only grows at its end.
  fileprivate init(_ row: Statement) {
    func optional() -> Ratio? { row.optionalInteger().map { Ratio(millionths: $0) } }
    id = row.integer()
    model = row.bytes()
    prompt = Ratio(millionths: row.integer())
    completion = optional()
    cached = optional()
    image = optional()
    audioPrompt = optional()
    audioCompletion = optional()
    createdAt = row.integer(in: StoredRange.times)
  }

  /// Binds what an insert and an update write.
  fileprivate func bind(to statement: Statement) {
    statement.bind(text: model).bind(prompt.millionths).bind(completion?.millionths)
    statement.bind(cached?.millionths).bind(image?.millionths).bind(audioPrompt?.millionths)
    statement.bind(audioCompletion?.millionths).bind(createdAt)
  }
}

/// Queries of the table `prices`.
package enum PriceTable {
  /// Adds a price; the new id, or throws `.duplicate` when the model has one.
  package static func insert(
    _ price: PriceRecord, in database: Database
  ) throws(StoreError) -> Int64 {
    try database.insert(
      """
      INSERT INTO prices (model, prompt, completion, cached, image, audio_prompt,
        audio_completion, created_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
      """
    ) { price.bind(to: $0) }
  }

  /// Writes all fields, or throws `.notFound` or `.duplicate`.
  package static func update(_ price: PriceRecord, in database: Database) throws(StoreError) {
    let changed = try database.run(
      """
      UPDATE prices SET model = ?1, prompt = ?2, completion = ?3, cached = ?4, image = ?5,
        audio_prompt = ?6, audio_completion = ?7, created_at = ?8
      WHERE id = ?9
      """
    ) {
      price.bind(to: $0)
      $0.bind(price.id)
    }
    try database.requireChange(changed)
  }

  /// Removes a price, or throws `.notFound`.
  package static func delete(_ id: Int64, in database: Database) throws(StoreError) {
    try database.requireChange(
      try database.run("DELETE FROM prices WHERE id = ?1") { $0.bind(id) })
  }

  /// Puts many prices in at once, each in the place of the one that its model had; the caller
  /// brings the transaction.
  ///
  /// `replacing`: whether all others go.
  ///
  /// Returns all prices by id.
  package static func put(
    _ prices: [PriceRecord], replacing: Bool, in database: Database
  ) throws(StoreError) -> [PriceRecord] {
    if replacing { try database.run("DELETE FROM prices") }
    for price in prices {
      try database.run(
        """
        INSERT INTO prices (model, prompt, completion, cached, image, audio_prompt,
          audio_completion, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
        ON CONFLICT (model) DO UPDATE SET prompt = ?2, completion = ?3, cached = ?4, image = ?5,
          audio_prompt = ?6, audio_completion = ?7
        """
      ) { price.bind(to: $0) }
    }
    return try all(in: database)
  }

  /// All prices by id.
  package static func all(in database: Database) throws(StoreError) -> [PriceRecord] {
    try database.all("SELECT * FROM prices ORDER BY id") { PriceRecord($0) }
  }
}
