// The clock of the machine that the client runs on, which may be put forward. Libraries ask it as they always do.
const Real = Date;
let ahead = 0;

globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length ? given : [Real.now() + ahead]));
  }

  static now() {
    return Real.now() + ahead;
  }
};

export const forward = (minutes) => {
  ahead += minutes * 60_000;
};
