// The same for plain JavaScript.

/** @satisfies {import('nri-scripts').Script} */
export const good = {
  createContainer({ container }) {
    return { adjust: { env: { NAME: container.name } } };
  },
};

/** @satisfies {import('nri-scripts').Script} */
export const wrong = {
  // @ts-expect-error: a number is no environment value
  createContainer() {
    return { adjust: { env: { NAME: 5 } } };
  },
};
